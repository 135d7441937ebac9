// Curves of a loss in the browser, with the limits of alf/losses/numeric.py, so that a chart can follow a slider without
// asking the server. A form is what alf/losses/javascript.py prints for a loss: {value, derivative, weight}, each called
// as f(u, log u, 1 - u, log(1 - u), K - 2 + u, K, ...parameters). A derivative at 0 or 1 whose terms are infinite and
// cancel is NaN here; the server, which has more digits, gives it.

const STAND_INS = [[0, -1e300], [1e-300, Math.log(1e-300)]], HUGE = 1e60;

// quantity: "value", "derivative" or "weight"; u in [0, 1]; K: classes; parameters: in declared order.
export function curve(form, quantity, u, K, parameters) {
  const f = form[quantity], low = u === 0, high = u === 1;
  let result = f(u, Math.log(u), 1 - u, Math.log1p(-u), K - 2 + u, K, ...parameters);
  for (const [zero, logZero] of quantity === "derivative" ? [] : STAND_INS) { // at 0 and 1, for what is 0/0 there: see numeric.py
    if (!Number.isNaN(result)) break;
    result = f(
      low ? zero : u,
      low ? logZero : high ? -zero : Math.log(u),
      high ? zero : 1 - u,
      high ? logZero : Math.log1p(-u),
      K - 2 + (low ? zero : u),
      K,
      ...parameters,
    );
    if (Math.abs(result) > HUGE) result = Math.sign(result) * Infinity;
    else if (Math.abs(result) < 1 / HUGE) result = 0;
  }
  return result + 0;
}
