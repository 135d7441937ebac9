// Curves of a loss in the browser, the same path and the same limits as alf/losses/numeric.py, so that a chart can follow
// a slider without asking the server. A form holds the functions that alf/losses/javascript.py prints for a loss:
//   { outer: {value, log, logV, slope, sums: [...]}, summands: [{value, log, logV, slope}, ...], usesLogV }
// each called as f(u, logU, v, logV, ...sums, K, ...parameters).
"use strict";

const TINY = 1e-300, FAR = -1e300, HUGE = 1e60;

// (u, log u, v, log v) of a probability p and q = 1 - p; `low` and `high` say that p is 0 or 1, which a stand-in replaces.
function coordinates(p, q, low, high, zero, logZero) {
  return [
    low ? zero : p,
    low ? logZero : high ? -zero : Math.log(p),
    high ? zero : q,
    high ? logZero : p < 0.5 ? Math.log1p(-p) : Math.log(q),
  ];
}

function logSlope(part, at, sums, constants, usesLogV) {
  const own = part.log(...at, ...sums, ...constants);
  return usesLogV ? own - (at[0] / at[2]) * part.logV(...at, ...sums, ...constants) : own;
}

function slope(part, at, sums, constants, usesLogV) {
  const own = part.slope(...at, ...sums, ...constants);
  return usesLogV ? own - part.logV(...at, ...sums, ...constants) / at[2] : own;
}

const QUANTITIES = {
  value(form, label, rest, sums, constants) {
    return form.outer.value(...label, ...sums, ...constants);
  },
  derivative(form, label, rest, sums, constants) {
    let result = slope(form.outer, label, sums, constants, form.usesLogV);
    form.summands.forEach((s, i) => {
      const own = slope(s, label, [], constants, form.usesLogV);
      const others = slope(s, rest, [], constants, form.usesLogV);
      result += form.outer.sums[i](...label, ...sums, ...constants) * (own - others);
    });
    return result;
  },
  weight(form, label, rest, sums, constants) {
    let result = logSlope(form.outer, label, sums, constants, form.usesLogV) * label[2];
    form.summands.forEach((s, i) => {
      const own = logSlope(s, label, [], constants, form.usesLogV) * label[2];
      const others = logSlope(s, rest, [], constants, form.usesLogV) * label[0] * (constants[0] - 1);
      result += form.outer.sums[i](...label, ...sums, ...constants) * (own - others);
    });
    return -result;
  },
};

// quantity: "value", "derivative" or "weight"; p: u_y in [0, 1]; K: classes; parameters: in declared order.
export function curve(form, quantity, p, K, parameters) {
  const constants = [K, ...parameters], others = (1 - p) / (K - 1), low = p === 0, high = p === 1;
  const complement = (K - 2 + p) / (K - 1); // of the others' probability, exact where that is near 1
  const at = (label, rest) => {
    const sums = form.summands.map((s) => s.value(...label, ...constants) + (K - 1) * s.value(...rest, ...constants));
    return QUANTITIES[quantity](form, label, rest, sums, constants);
  };
  let result = at(coordinates(p, 1 - p, false, false), coordinates(others, complement, false, false));
  for (const [zero, logZero] of [[0, FAR], [TINY, Math.log(TINY)]]) {
    if (!Number.isNaN(result)) break;
    const both = low && K === 2; // then the other class has all the probability
    result = at(
      coordinates(p, 1 - p, low, high, zero, logZero),
      coordinates(others, complement, high, both, zero, logZero),
    );
    if (Math.abs(result) > HUGE) result = Math.sign(result) * Infinity;
    else if (Math.abs(result) < 1 / HUGE) result = 0;
  }
  return result + 0;
}
