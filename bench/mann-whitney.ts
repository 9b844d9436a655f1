export interface Comparison {
  /** Of all pairs, those in which the first sample's value is the larger one; ties count half. 0.5: no difference. */
  readonly share: number;
  /** How likely a share as far from 0.5 is where there is no difference, on both sides. */
  readonly p: number;
}

/** The U test of Mann and Whitney with its normal approximation, for samples of ten values or more. */
export function compareSamples(one: readonly number[], other: readonly number[]): Comparison {
  const values = [...one.map((value) => ({ value, first: true })), ...other.map((value) => ({ value, first: false }))];
  values.sort((left, right) => left.value - right.value);
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < values.length; ) {
    let end = start + 1;
    while (values[end]?.value === values[start]?.value) end++;
    const count = end - start;
    ties += count ** 3 - count;
    const rank = (start + 1 + end) / 2;
    rankSum += rank * values.slice(start, end).filter(({ first }) => first).length;
    start = end;
  }
  const [m, n, total] = [one.length, other.length, values.length];
  const u = rankSum - (m * (m + 1)) / 2;
  const deviation = Math.sqrt(((m * n) / 12) * (total + 1 - ties / (total * (total - 1))));
  const z = deviation === 0 ? 0 : (u - (m * n) / 2) / deviation;
  return { share: u / (m * n), p: 2 * upperTail(Math.abs(z)) };
}

/** The area of the normal distribution above z (Abramowitz and Stegun 7.1.26; the error is below 2e-7). */
function upperTail(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const polynomial = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  return 0.5 * polynomial.reduce((sum, coefficient) => (sum + coefficient) * t, 0) * Math.exp(-x * x);
}
