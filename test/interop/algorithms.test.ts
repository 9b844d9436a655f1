import { beforeAll, describe, expect, it } from "vitest";
import { needs, TOOLS } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import { sha256, testBytes } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { HOST_KEY_TYPES } from "../support/server-start.js";
import { runOk } from "../support/tools.js";

const KEX = [
  "mlkem768x25519-sha256",
  "sntrup761x25519-sha512",
  "sntrup761x25519-sha512@openssh.com",
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group14-sha256",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group18-sha512",
  "diffie-hellman-group-exchange-sha256",
] as const;
const HOST_KEYS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;
const AEAD_CIPHERS = ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com"] as const;
const CTR_CIPHERS = ["aes128-ctr", "aes192-ctr", "aes256-ctr"] as const;
const MACS = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
] as const;

interface Algorithms {
  readonly kex: string;
  readonly hostKey: string;
  readonly cipher: string;
  /** `<implicit>` where the cipher authenticates by itself, as ssh says it. */
  readonly mac: string;
}

const protections = [
  ...AEAD_CIPHERS.map((cipher) => ({ cipher, mac: "<implicit>" })),
  ...CTR_CIPHERS.flatMap((cipher) => MACS.map((mac) => ({ cipher, mac }))),
];
const combinations: readonly Algorithms[] = KEX.flatMap((kex) =>
  HOST_KEYS.flatMap((hostKey) => protections.map((protection) => ({ kex, hostKey, ...protection }))),
);

/** A small part of all combinations that has all there is in them: each time the one with most that is new. */
function cover(all: readonly Algorithms[], partsOf: (algorithms: Algorithms) => readonly string[]): Algorithms[] {
  const open = new Set(all.flatMap(partsOf));
  const chosen: Algorithms[] = [];
  while (open.size > 0) {
    const gain = (candidate: Algorithms) => partsOf(candidate).filter((part) => open.has(part)).length;
    const best = all.reduce((left, right) => (gain(right) > gain(left) ? right : left));
    chosen.push(best);
    for (const part of partsOf(best)) open.delete(part);
  }
  return chosen;
}

const namesOf = (algorithms: Algorithms): string[] =>
  Object.entries(algorithms).map(([kind, name]) => `${kind} ${name}`);

function pairsOf(algorithms: Algorithms): string[] {
  const names = namesOf(algorithms);
  return names.flatMap((name, index) => names.slice(index + 1).map((other) => `${name} ${other}`));
}

/** Each algorithm once; in the long run, every two that can meet. */
const TRIED = cover(combinations, isLong ? pairsOf : namesOf);

/** What `ssh -v` says was negotiated; both directions have to agree. */
function negotiated(log: string): Algorithms {
  const kex = /kex: algorithm: (\S+)/.exec(log)?.[1] ?? "";
  const hostKey = /kex: host key algorithm: (\S+)/.exec(log)?.[1] ?? "";
  const [inward, outward] = [...log.matchAll(/kex: (?:server->client|client->server) cipher: (\S+) MAC: (\S+)/g)];
  expect(inward?.slice(1)).toEqual(outward?.slice(1));
  return { kex, hostKey, cipher: inward?.[1] ?? "", mac: inward?.[2] ?? "" };
}

describe("algorithms together, with ssh", needs("ssh", "ssh10"), () => {
  const fixture = serverFixture({
    hostKeyTypes: HOST_KEY_TYPES,
    algorithms: { kex: [...KEX], hostKey: [...HOST_KEYS], cipher: [...AEAD_CIPHERS, ...CTR_CIPHERS], mac: [...MACS] },
  });
  const input = testBytes(100_000);
  let knownToStock = new Set<string>();

  beforeAll(async () => {
    knownToStock = new Set((await runOk(TOOLS.ssh, ["-Q", "kex"])).split("\n"));
  });

  it.each(TRIED)("$kex $hostKey $cipher $mac", async (algorithms) => {
    const { kex, hostKey, cipher, mac } = algorithms;
    const choice = [`KexAlgorithms=${kex}`, `HostKeyAlgorithms=${hostKey}`, `Ciphers=${cipher}`];
    if (mac !== "<implicit>") choice.push(`MACs=${mac}`);
    const { code, stdout, stderr } = await fixture.exec(knownToStock.has(kex) ? "ssh" : "ssh10", {
      login: { user: "admin", password: "secret" },
      command: "echo-stdin",
      input,
      options: ["-v", ...choice.flatMap((option) => ["-o", option])],
    });
    expect(code, stderr).toBe(0);
    expect(negotiated(stderr)).toEqual(algorithms);
    expect(sha256(stdout)).toBe(sha256(input));
  });
});
