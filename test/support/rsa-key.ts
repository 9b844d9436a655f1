import { PKey } from "../../src/crypto/index.js";

/** Of 2048 bits: one for all tests of a process, for to make one takes as long as most tests do. */
export const RSA_KEY = PKey.generate({ keyType: "rsa", bits: 2048 });
