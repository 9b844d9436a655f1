import { describe, expect, it } from "vitest";
import { hostKeyAlgorithms } from "../../src/crypto/certificates/certificate-algorithms.js";
import { cipherAlgorithms, macAlgorithms } from "../../src/crypto/cipher/registry.js";
import { compressionAlgorithms } from "../../src/crypto/compression/registry.js";
import { keyExchangeAlgorithms } from "../../src/crypto/kex/registry.js";
import {
  type AlgorithmsOption,
  defaultAlgorithms,
  resolveAlgorithms,
  supportedAlgorithms,
} from "../../src/transport/algorithms.js";

/** Whatever a program without types may pass. */
const resolve = (option: unknown) => resolveAlgorithms(option as AlgorithmsOption);

const refusal = (option: string, message: RegExp) =>
  expect.objectContaining({ name: "ConfigurationError", option, message: expect.stringMatching(message) });

describe("resolveAlgorithms", () => {
  it("prefers post-quantum exchanges, Ed25519 and authenticated encryption", () => {
    const { kex, hostKey, cipher, mac, compression } = resolveAlgorithms("default");
    expect(kex.slice(0, 3)).toEqual([
      "mlkem768x25519-sha256",
      "sntrup761x25519-sha512",
      "sntrup761x25519-sha512@openssh.com",
    ]);
    expect(kex[3]).toBe("curve25519-sha256");
    expect(hostKey[0]).toBe("ssh-ed25519-cert-v01@openssh.com");
    expect(hostKey.findIndex((name) => !name.includes("-cert-v01@"))).toBe(hostKey.indexOf("ssh-ed25519"));
    expect(cipher.slice(0, 3)).toEqual([
      "chacha20-poly1305@openssh.com",
      "aes128-gcm@openssh.com",
      "aes256-gcm@openssh.com",
    ]);
    expect(mac.slice(0, 2)).toEqual(["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"]);
    expect(compression).toEqual(["none", "zlib@openssh.com"]);
  });

  it.each(["default", "hardened"] as const)("offers in %s nothing weak and nothing that is not there", (option) => {
    const { kex, hostKey, cipher, mac, compression } = resolveAlgorithms(option);
    for (const name of [...kex, ...hostKey, ...cipher, ...mac, ...compression]) {
      expect(name).not.toMatch(/sha1|md5|cbc|arcfour|3des|umac|-64|-96|ssh-rsa|ssh-dss|sk-|diffie-hellman/);
      expect(name).not.toBe("zlib");
    }
    for (const name of kex) expect(keyExchangeAlgorithms.has(name)).toBe(true);
    for (const name of hostKey) expect(hostKeyAlgorithms).toContain(name);
    for (const name of cipher) expect(cipherAlgorithms.has(name)).toBe(true);
    for (const name of mac) expect(macAlgorithms.has(name)).toBe(true);
    for (const name of compression) expect(compressionAlgorithms.has(name)).toBe(true);
  });

  it("is post-quantum, encrypt-then-MAC and without compression when hardened", () => {
    const { kex, hostKey, mac, compression } = resolveAlgorithms("hardened");
    for (const name of kex) expect(name).toMatch(/^(mlkem768|sntrup761)x25519/);
    for (const name of mac) expect(name).toMatch(/-etm@openssh\.com$/);
    expect(hostKey.join()).not.toContain("nistp");
    expect(compression).toEqual(["none"]);
  });

  it("takes lists in their own order, without what is named twice, and the rest from the default", () => {
    const cipher = ["aes256-ctr", "aes128-ctr", "aes256-ctr"];
    const kex = ["diffie-hellman-group14-sha256"];
    expect(resolveAlgorithms({ cipher, kex })).toEqual({
      ...resolveAlgorithms("default"),
      cipher: ["aes256-ctr", "aes128-ctr"],
      kex,
    });
    expect(resolveAlgorithms({})).toEqual(resolveAlgorithms("default"));
  });

  it.each([
    ["aes256-ctr,aes128-ctr", ["aes256-ctr", "aes128-ctr"]],
    ["aes*-gcm*", ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]],
    ["-aes*", ["chacha20-poly1305@openssh.com"]],
    ["-chacha*,*gcm*", ["aes128-ctr", "aes192-ctr", "aes256-ctr"]],
    ["-aes128-gcm@openssh.com,aes1??-ctr", ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr"]],
  ])("takes the text %s", (cipher, names) => {
    expect(resolveAlgorithms({ cipher })).toEqual({ ...resolveAlgorithms("default"), cipher: names });
  });

  it("appends with +, and puts first with ^, each name once", () => {
    const { kex, cipher } = defaultAlgorithms;
    expect(resolve({ kex: "+diffie-hellman-group14-sha256,curve25519-sha256" }).kex).toEqual([
      ...kex,
      "diffie-hellman-group14-sha256",
    ]);
    expect(resolve({ kex: "+*" }).kex).toEqual(supportedAlgorithms.kex);
    const first = ["aes256-gcm@openssh.com", "aes256-ctr"];
    expect(resolve({ cipher: "^aes256-*" }).cipher).toEqual([
      ...first,
      ...cipher.filter((name) => !first.includes(name)),
    ]);
  });

  it("removes what is not there by default, too", () => {
    expect(resolve({ kex: "-diffie-hellman-*,ecdh-*" }).kex).toEqual(
      defaultAlgorithms.kex.filter((name) => !name.startsWith("ecdh-")),
    );
  });

  it("names what there is and what is the default, for nobody to change", () => {
    expect(resolveAlgorithms("default")).toBe(defaultAlgorithms);
    expect(Object.keys(supportedAlgorithms)).toEqual(Object.keys(defaultAlgorithms));
    for (const lists of [defaultAlgorithms, supportedAlgorithms]) {
      for (const names of [lists, ...Object.values(lists)]) expect(Object.isFrozen(names)).toBe(true);
    }
    for (const kind of Object.keys(defaultAlgorithms) as (keyof typeof defaultAlgorithms)[]) {
      expect(supportedAlgorithms[kind]).toEqual(expect.arrayContaining([...defaultAlgorithms[kind]]));
      expect(resolve({ [kind]: supportedAlgorithms[kind] })[kind]).toEqual(supportedAlgorithms[kind]);
    }
  });

  it("is not changed by later changes of the lists", () => {
    const cipher = ["aes256-ctr"];
    const resolved = resolveAlgorithms({ cipher });
    cipher.push("none");
    expect(resolved.cipher).toEqual(["aes256-ctr"]);
  });

  it.each(["kex", "hostKey", "cipher", "mac", "compression"])("names the list %s when it cannot be used", (kind) => {
    const option = `algorithms.${kind}`;
    expect(() => resolve({ [kind]: [] })).toThrow(refusal(option, /at least one/));
    for (const text of ["", "+", "-", "^", "invented", "+invented", "-inv*", "none,invented", "none, none", "!none"]) {
      expect(() => resolve({ [kind]: text })).toThrow(refusal(option, /is not implemented; there are /));
    }
    expect(() => resolve({ [kind]: "-*" })).toThrow(refusal(option, /must leave at least one name$/));
    expect(() => resolve({ [kind]: { append: "none" } })).toThrow(refusal(option, /list/));
    expect(() => resolve({ [kind]: null })).toThrow(refusal(option, /not be null/));
    expect(() => resolve({ [kind]: [7] })).toThrow(refusal(option, /7/));
    expect(() => resolve({ [kind]: ["invented"] })).toThrow(refusal(option, /"invented" is not implemented/));
  });

  it("tells which names there are", () => {
    expect(() => resolve({ cipher: ["aes128-cbc"] })).toThrow(/aes256-ctr/);
    expect(() => resolve({ hostKey: ["ssh-rsa"] })).toThrow(/rsa-sha2-512/);
  });

  it("offers no cipher without encryption and no pseudo method", () => {
    expect(() => resolve({ cipher: ["none"] })).toThrow(/not implemented/);
    expect(() => resolve({ kex: ["kex-strict-s-v00@openssh.com"] })).toThrow(/not implemented/);
    expect(() => resolve({ kex: ["ext-info-s"] })).toThrow(/not implemented/);
  });

  it.each(["ciphers", "toString", "constructor", ""])("refuses the unknown kind %j", (kind) => {
    expect(() => resolve({ [kind]: ["aes128-ctr"] })).toThrow(refusal(`algorithms.${kind}`, /is not an option/));
  });

  it.each([[undefined], [null], ["strong"], [1], [true]])("refuses %j as a whole", (option) => {
    expect(() => resolve(option)).toThrow(refusal("algorithms", /"default", "hardened"/));
  });

  it("quotes a text that is neither of the two", () => {
    expect(() => resolve("strong")).toThrow(/, not "strong"$/);
  });

  it("refuses a list in place of the object", () => {
    expect(() => resolve(["aes128-ctr"])).toThrow(expect.objectContaining({ name: "ConfigurationError" }));
  });
});
