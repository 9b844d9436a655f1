/** The field's prime and the curve's constant d (RFC 8032 §5.1). */
const PRIME = 2n ** 255n - 19n;
const CURVE_D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const Y_MASK = 2n ** 255n - 1n;

/** A y coordinate of a point of order 8; the other one is its negative. */
const ORDER_8_Y = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
/** The points with these y coordinates have an order of 1, 2, 4 or 8: anyone can sign for them. */
const SMALL_ORDER_Y: readonly bigint[] = [0n, 1n, PRIME - 1n, ORDER_8_Y, PRIME - ORDER_8_Y];

/**
 * Whether 32 bytes encode a point of edwards25519 (RFC 8032 §5.1.3) in the one canonical way and the point is fit to be
 * a public key. OpenSSL takes any 32 bytes for a key and notices only when it verifies.
 */
export function isEd25519Point(encoded: Buffer): boolean {
  const y = BigInt(`0x${Buffer.from(encoded).reverse().toString("hex")}`) & Y_MASK;
  if (y >= PRIME || SMALL_ORDER_Y.includes(y)) return false;
  // x² = u/v has a solution exactly when u/v, and so u·v, is a square.
  const ySquared = (y * y) % PRIME;
  const u = ySquared - 1n;
  const v = CURVE_D * ySquared + 1n;
  return jacobiSymbol((u * v) % PRIME, PRIME) === 1;
}

/**
 * The Jacobi symbol (a/n) of 0 <= a < n, n odd: for a prime n, 1 when a is a square. Several times faster than raising
 * to (n - 1) / 2, on a path that every authentication attempt takes; the numbers are public.
 */
function jacobiSymbol(a: bigint, n: bigint): number {
  let numerator = a;
  let denominator = n;
  let symbol = 1;
  while (numerator !== 0n) {
    while ((numerator & 1n) === 0n) {
      numerator >>= 1n;
      const residue = denominator & 7n;
      if (residue === 3n || residue === 5n) symbol = -symbol;
    }
    if ((numerator & 3n) === 3n && (denominator & 3n) === 3n) symbol = -symbol;
    [numerator, denominator] = [denominator % numerator, numerator];
  }
  return denominator === 1n ? symbol : 0;
}
