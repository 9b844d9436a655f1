import { assertTrue, type Harness } from "../engine/harness.js";
import { privateKeys } from "../support/keys.js";

const DATA = Buffer.from("what is signed");

interface Signed {
  readonly verify: (signature: Buffer, algorithm?: string) => boolean;
  /** Every signature of the data, where there is only one for each algorithm; ECDSA has any number. */
  readonly only: readonly Buffer[] | undefined;
}

const signed: readonly Signed[] = privateKeys.map((key) => ({
  verify: (signature, algorithm) => key.publicKey.verify(DATA, signature, algorithm),
  only: key.keyType.startsWith("ecdsa") ? undefined : key.signatureAlgorithms.map((name) => key.sign(DATA, name)),
}));

const seeds = privateKeys.flatMap((key, index) =>
  key.signatureAlgorithms.map((name) => Buffer.concat([Buffer.of(index), key.sign(DATA, name)])),
);

/** Signatures as peers send them. The first byte of an input chooses the key. */
export const harness: Harness = {
  name: "signature",
  seeds,
  memory: { base: 1024 * 1024, perByte: 1024 },
  shortRun: 1000,
  run(bytes) {
    const signature = bytes.subarray(1);
    const key = signed[(bytes[0] ?? 0) % signed.length];
    if (key === undefined) return;
    const isRight = key.verify(signature);
    const isKnown = key.only?.some((known) => known.equals(signature)) ?? isRight;
    assertTrue(isRight === isKnown, isRight ? "a forged signature is accepted" : "a signature is refused");
    assertTrue(!key.verify(signature, "ssh-rsa"), "an algorithm that nobody signs with is accepted");
  },
};
