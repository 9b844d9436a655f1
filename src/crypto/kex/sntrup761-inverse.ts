import { nonZeroMask, P, Q, reduceMod3, reduceModQ } from "./sntrup761-ring.js";

/**
 * Inverses modulo x^p - x - 1, by the division steps of Bernstein and Yang ("Fast constant-time gcd computation and
 * modular inversion", 2019): of those there are always 2p - 1, whatever the polynomial is.
 */
const STEPS = 2 * P - 1;

/** In Z[x]/(q, x^p - x - 1), which is a field: every polynomial but zero has an inverse. */
export function invertModQ(polynomial: Int32Array): Int32Array {
  return invert(polynomial, reduceModQ, reciprocalModQ).inverse;
}

/**
 * In Z[x]/(3, x^p - x - 1).
 *
 * @param ternary coefficients -1, 0 and 1
 * @returns undefined when it has none
 */
export function invertMod3(ternary: Int32Array): Int32Array | undefined {
  const { inverse, exists } = invert(ternary, reduceMod3, (value) => value);
  return exists ? inverse : undefined;
}

/**
 * @param reduce gives the representative of least absolute value
 * @param reciprocal of a number modulo the same
 */
function invert(
  polynomial: Int32Array,
  reduce: (value: number) => number,
  reciprocal: (value: number) => number,
): { readonly inverse: Int32Array; readonly exists: boolean } {
  // Coefficients in reverse order: the modulus, and what is inverted.
  const f = new Int32Array(P + 1);
  f[0] = 1;
  f[P - 1] = -1;
  f[P] = -1;
  const g = new Int32Array(P + 1);
  for (let i = 0; i < P; i++) g[i] = polynomial[P - 1 - i] ?? 0;
  // The multiples of the polynomial that f and g are, modulo the modulus.
  const v = new Int32Array(P + 1);
  const r = new Int32Array(P + 1);
  r[0] = 1;
  // Degree of f less that of g, as far as the steps have come.
  let delta = 1;
  for (let step = 0; step < STEPS; step++) {
    const swap = (-delta >> 31) & nonZeroMask(g[0] ?? 0);
    delta = (delta ^ (swap & (delta ^ -delta))) + 1;
    const exchanged = swap & ((f[0] ?? 0) ^ (g[0] ?? 0));
    const f0 = (f[0] ?? 0) ^ exchanged;
    const g0 = (g[0] ?? 0) ^ exchanged;
    for (let i = 0; i < f.length; i++) {
      const t = swap & ((f[i] ?? 0) ^ (g[i] ?? 0));
      const fi = (f[i] ?? 0) ^ t;
      const gi = (g[i] ?? 0) ^ t;
      f[i] = fi;
      // Divided by x; the constant term, at i = 0, has become zero.
      if (i > 0) g[i - 1] = reduce(reduce(Math.imul(f0, gi)) - Math.imul(g0, fi));
    }
    g[P] = 0;
    for (let i = v.length - 1; i >= 0; i--) {
      // Multiplied by x.
      const shifted = i === 0 ? 0 : (v[i - 1] ?? 0);
      const t = swap & (shifted ^ (r[i] ?? 0));
      const vi = shifted ^ t;
      const ri = (r[i] ?? 0) ^ t;
      v[i] = vi;
      r[i] = reduce(reduce(Math.imul(f0, ri)) - Math.imul(g0, vi));
    }
  }
  const scale = reciprocal(f[0] ?? 0);
  const inverse = Int32Array.from({ length: P }, (_, i) => reduce(Math.imul(scale, v[P - 1 - i] ?? 0)));
  for (const sensitive of [f, g, v, r]) sensitive.fill(0);
  return { inverse, exists: delta === 0 };
}

/** By Fermat's little theorem. */
function reciprocalModQ(value: number): number {
  let result = 1;
  let power = value;
  for (let exponent = Q - 2; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = reduceModQ(result * power);
    power = reduceModQ(power * power);
  }
  return result;
}
