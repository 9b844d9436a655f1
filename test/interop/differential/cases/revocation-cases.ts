import { authorityLine, type LoginCase, NAMED, plainLine, type Revocation, trustedAuthority } from "./login-case.js";

/** About an Ed25519 key, and its certificate number 7 with the ID `alice`. */
export const REVOCATIONS: Readonly<Record<string, Revocation>> = {
  "an empty list": { text: "" },
  "the key": { text: "{ed25519}\n" },
  "the authority": { text: "# authorities\n{ca-ed25519}\n" },
  "another key": { text: "{other}\n{ca-other}\n" },
  "the certificate": { text: "{certificate}\n" },
  "a list that is damaged": { text: "{other}\nnonsense\n" },
  "KRL of nothing": { specification: ["# nothing"] },
  "KRL, its number": { specification: ["serial: 7"], scope: "ca-ed25519" },
  "KRL, another number": { specification: ["serial: 8"], scope: "ca-ed25519" },
  "KRL, a range": { specification: ["serial: 5-9"], scope: "ca-ed25519" },
  "KRL, a range up to it": { specification: ["serial: 1-7"], scope: "ca-ed25519" },
  "KRL, a range beside it": { specification: ["serial: 8-20"], scope: "ca-ed25519" },
  "KRL, all numbers": { specification: ["serial: 1-18446744073709551615"], scope: "ca-ed25519" },
  "KRL, a bitmap": { specification: ["serial: 3", "serial: 5", "serial: 7", "serial: 9"], scope: "ca-ed25519" },
  "KRL, a bitmap without it": { specification: ["serial: 4", "serial: 6", "serial: 8"], scope: "ca-ed25519" },
  "KRL, its number of another authority": { specification: ["serial: 7"], scope: "ca-other" },
  "KRL, its number of any authority": { specification: ["serial: 7"], scope: "none" },
  "KRL, its ID": { specification: ["id: alice"], scope: "ca-ed25519" },
  "KRL, another ID": { specification: ["id: bob", "id: alic", "id: alice2"], scope: "ca-ed25519" },
  "KRL, its ID of another authority": { specification: ["id: alice"], scope: "ca-other" },
  "KRL, its ID of any authority": { specification: ["id: alice"], scope: "none" },
  "KRL, the key": { specification: ["key: {ed25519}"] },
  "KRL, the authority": { specification: ["key: {ca-ed25519}"] },
  "KRL, another key": { specification: ["key: {other}"] },
  "KRL, SHA-1 of the key": { specification: ["sha1: {ed25519}"] },
  "KRL, SHA-256 of the key": { specification: ["sha256: {ed25519}"] },
  "KRL, SHA-256 of the authority": { specification: ["sha256: {ca-ed25519}"] },
  "KRL, SHA-256 of another key": { specification: ["sha256: {other}"] },
  "KRL, the certificate as a file": { specification: ["# nothing"], file: "certificate" },
  "KRL, the key as a file": { specification: ["# nothing"], file: "ed25519" },
  "KRL, the authority as a file": { specification: ["# nothing"], file: "ca-ed25519" },
};

export const REVOCATION_CASES: readonly LoginCase[] = Object.entries(REVOCATIONS).flatMap(([title, revoked], index) => {
  const common = { dimension: "revocation", key: "ed25519", revoked } as const;
  const certificate = { authority: "ca-ed25519", options: NAMED } as const;
  const trust = index % 2 === 0 ? trustedAuthority() : authorityLine();
  const cases: LoginCase[] = [{ ...common, title: `${title}; the certificate logs in`, certificate, trust }];
  const isAboutCertificate = JSON.stringify(revoked).includes("certificate");
  if (!isAboutCertificate) cases.push({ ...common, title: `${title}; the key logs in`, trust: plainLine("ed25519") });
  return cases;
});
