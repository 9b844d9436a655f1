import { plainSignatureAlgorithms, signatureAlgorithms } from "../keys/signature-algorithms.js";
import { certificateNameOf } from "./certificate-names.js";

/** What a request to log in with a certificate names: one for each of `signatureAlgorithms`. */
export const certificateAlgorithms: readonly string[] = signatureAlgorithms.map(certificateNameOf);

/** Offered for host keys, those of certificates first. */
export const hostKeyAlgorithms: readonly string[] = [
  ...plainSignatureAlgorithms.map(certificateNameOf),
  ...plainSignatureAlgorithms,
];
