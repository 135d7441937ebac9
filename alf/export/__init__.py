"""What leaves the explorer: proofs as LaTeX and as a script that checks itself.

>>> from alf.losses import parse
>>> from alf.theory import verify
>>> loss = parse("mae")
>>> verdicts = list(verify(loss, None, 3, ("decreasing", "symmetric")))
>>> print(proof_script(loss, None, 3, verdicts).splitlines()[0])
#!/usr/bin/env python3
"""

from alf.export.latex import latex_document
from alf.export.proof import NotExported, proof_script

__all__ = ["NotExported", "latex_document", "proof_script"]
