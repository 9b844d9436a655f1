import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runOk, temporaryFolder } from "../../support/tools.js";
import { authority, ENDING_LENGTH } from "../harnesses/certificate.js";
import { PEM_LABELS } from "../harnesses/pem-key.js";
import { keep } from "./records.js";

const TYPES = {
  ed25519: ["-t", "ed25519"],
  ecdsa256: ["-t", "ecdsa", "-b", "256"],
  ecdsa384: ["-t", "ecdsa", "-b", "384"],
  ecdsa521: ["-t", "ecdsa", "-b", "521"],
  rsa: ["-t", "rsa", "-b", "2048"],
};
const CIPHERS = ["aes256-ctr", "aes128-cbc", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"];

const folder = temporaryFolder();
const keygen = (...parameters: string[]) => runOk("ssh-keygen", ["-q", ...parameters]);

it("keys of each type, in each format", async () => {
  for (const [type, parameters] of Object.entries(TYPES)) {
    const file = (name: string) => join(folder, `${type}-${name}`);
    const make = (name: string, ...options: string[]) =>
      keygen(...parameters, "-C", "a comment", "-f", file(name), ...options);
    await make("openssh", "-N", "");
    for (const cipher of CIPHERS) await make(cipher, "-N", "passphrase", "-a", "1", "-Z", cipher);
    for (const format of ["PEM", "PKCS8"]) {
      if (type === "ed25519") continue;
      await make(format, "-N", "", "-m", format);
      await make(`${format}-encrypted`, "-N", "passphrase", "-m", format);
    }
  }
  const files = await readdir(folder);
  for (const name of files) await storeKey(name);
  for (const name of files.filter((file) => file.endsWith("-openssh"))) await storeExports(join(folder, name));
  expect(files.length).toBeGreaterThan(30);
});

const CERTIFICATES: Readonly<Record<string, readonly string[]>> = {
  plain: ["-n", "admin"],
  "for nobody": [],
  many: ["-n", "admin,other,third", "-z", "18446744073709551615", "-V", "20200101:20991231"],
  host: ["-h", "-n", "host.example.com"],
  clear: ["-n", "admin", "-O", "clear", "-O", "permit-pty"],
  command: ["-n", "admin", "-O", "force-command=ls -l", "-O", "source-address=192.0.2.0/24,2001:db8::/32"],
  verified: ["-n", "admin", "-O", "verify-required", "-O", "no-touch-required"],
  other: ["-n", "admin", "-O", "critical:one@example.com=1", "-O", "extension:two@example.com=2"],
};

it("certificates with each option", async () => {
  const ca = join(folder, "ca");
  await authority.writeFile(ca);
  for (const type of Object.keys(TYPES)) {
    for (const [name, options] of Object.entries(CERTIFICATES)) {
      const file = join(folder, `${type}-openssh`);
      await keygen("-s", ca, "-I", `id of ${name}`, ...options, `${file}.pub`);
      const line = await readFile(`${file}-cert.pub`, "latin1");
      const blob = Buffer.from(line.split(" ")[1] ?? "", "base64");
      keep("certificate", `${type} ${name}`, blob.subarray(0, -ENDING_LENGTH));
      if (type !== "ed25519" && name !== "plain") continue;
      keep("public-blob", `${type} ${name}`, blob);
      keep("key-text", `certificate ${type} ${name}`, Buffer.from(line));
      expect(blob.length).toBeGreaterThan(ENDING_LENGTH);
    }
  }
});

/** A key's file, and what lies beneath its base64. */
async function storeKey(name: string): Promise<void> {
  const text = await readFile(join(folder, name), "latin1");
  keep("key-text", name, Buffer.from(text, "latin1"));
  if (name.endsWith(".pub")) {
    keep("public-blob", name, Buffer.from(text.split(" ")[1] ?? "", "base64"));
    return;
  }
  const [, label = "", body = ""] = /-----BEGIN (.*?)-----\n([^-]*)-----END/.exec(text) ?? [];
  const bytes = Buffer.from(body, "base64");
  const index = PEM_LABELS.indexOf(label);
  if (label === "OPENSSH PRIVATE KEY") keep("openssh-key", name, bytes);
  else if (index !== -1) keep("pem-key", name, Buffer.concat([Buffer.of(index), bytes]));
}

async function storeExports(file: string): Promise<void> {
  for (const format of ["RFC4716", "PKCS8", "PEM"]) {
    if (format !== "RFC4716" && file.includes("ed25519")) continue;
    const text = await keygen("-e", "-m", format, "-f", file);
    keep("key-text", `${file.slice(folder.length)} ${format}`, Buffer.from(text));
  }
}
