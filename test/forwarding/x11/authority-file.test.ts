import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeAuthorityEntry } from "../../../src/forwarding/x11/authority-file.js";
import { needs, TOOLS } from "../../support/clients.js";
import { runOk, temporaryFolder } from "../../support/tools.js";

const usual = {
  displayNumber: 10,
  protocol: "MIT-MAGIC-COOKIE-1",
  data: Buffer.from("00112233445566778899aabbccddeeff", "hex"),
};
const entries = [
  usual,
  { displayNumber: 999, protocol: "XDM-AUTHORIZATION-1", data: Buffer.alloc(256, 0xfe) },
  { displayNumber: 11, protocol: "x", data: Buffer.of(0) },
];

describe("an authority file", needs("xauth"), () => {
  const folder = temporaryFolder();
  const xauth = (file: string, ...command: readonly string[]) => runOk(TOOLS.xauth, ["-q", "-f", file, ...command]);

  it("has the bytes of xauth's", async () => {
    const file = join(folder, "theirs");
    for (const { displayNumber, protocol, data } of entries) {
      await xauth(file, "add", `unix:${displayNumber}.0`, protocol, data.toString("hex"));
    }
    const ours = entries.map((entry) => encodeAuthorityEntry({ hostName: hostname(), ...entry }));
    expect(await readFile(file)).toEqual(Buffer.concat(ours));
  });

  it("is read by xauth, whatever the name of the machine", async () => {
    const file = join(folder, "ours");
    await writeFile(file, encodeAuthorityEntry({ hostName: "rechnü-1.example", ...usual }));
    // Family, address, number, name, data; each with its length in front.
    expect((await xauth(file, "nlist")).trim()).toBe(
      "0100 0011 726563686ec3bc2d312e6578616d706c65 0002 3130 " +
        "0012 4d49542d4d414749432d434f4f4b49452d31 0010 00112233445566778899aabbccddeeff",
    );
  });
});
