# One image for CPU and GPU. torch is pinned to one version; by default pip takes the build with CUDA. For the CPU build,
# a tenth of the size:  docker build --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu -t alf .
FROM python:3.11-slim

ARG PIP_EXTRA_INDEX_URL=""
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY pyproject.toml requirements.txt constraints.txt README.md LICENSE app.py ./
COPY alf/__init__.py alf/
RUN PIP_EXTRA_INDEX_URL="$PIP_EXTRA_INDEX_URL" python -m pip install -r requirements.txt
COPY . .
RUN python -m compileall -q alf ui pages app.py && mkdir -p /data && chown 10001:10001 /data

# A number, so that Kubernetes can see it is not root; it needs no home of its own.
USER 10001:10001
ENV HOME=/tmp ALF_STORE=/data/runs.sqlite
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD python -c "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"
CMD ["alf", "app", "--server.address=0.0.0.0", "--server.headless=true"]
