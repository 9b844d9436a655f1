import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runOk, temporaryFolder } from "../../support/tools.js";
import { publicLines } from "../support/keys.js";
import { keep } from "./records.js";

const [authority = "", ...others] = publicLines;

/** What `ssh-keygen -k` is told (KEY REVOCATION LISTS in ssh-keygen(1)). */
const SPECIFICATIONS: Readonly<Record<string, string>> = {
  "one serial number": "serial: 1",
  "a range": "serial: 1000-2000000",
  "scattered serial numbers": Array.from({ length: 40 }, (_, index) => `serial: ${7 * index + (index % 3) + 1}`).join(
    "\n",
  ),
  "large serial numbers": "serial: 18446744073709551614-18446744073709551615\nserial: 9223372036854775808",
  "key IDs": "id: one\nid: two words\nid: ü",
  keys: others.map((line) => `key: ${line}`).join("\n"),
  "hashes of either kind": others.flatMap((line) => [`sha1: ${line}`, `sha256: ${line}`]).join("\n"),
  everything: `serial: 1-3\nserial: 9\nid: x\n${others.map((line) => `key: ${line}`).join("\n")}\nsha256: ${authority}`,
  nothing: "",
};

it("lists of revoked keys, for one authority and for all", async () => {
  const folder = temporaryFolder();
  const [ca, specification, list] = ["ca.pub", "specification", "list"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(ca, `${authority}\n`);
  for (const [name, text] of Object.entries(SPECIFICATIONS)) {
    await writeFile(specification, `${text}\n`);
    const authorities = /serial|id:/.test(text) ? [ca, "none"] : ["none"];
    for (const signer of authorities) {
      await runOk("ssh-keygen", ["-q", "-k", "-f", list, "-z", "3", "-s", signer, specification]);
      const krl = await readFile(list);
      expect(krl.toString("latin1", 0, 6)).toBe("SSHKRL");
      keep("krl", `${name} of ${signer === ca}`, krl);
    }
  }
});
