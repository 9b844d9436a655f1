import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { builtFile } from "../../support/build.js";
import { extent } from "../../support/extent.js";

const moduleName = (name: string) => JSON.stringify(builtFile(`src/crypto/keys/${name}.ts`));

const PROGRAM = `
  import { createPublicKey } from "node:crypto";
  import { generateEcdsa } from ${moduleName("ecdsa")};
  import { generateEd25519 } from ${moduleName("ed25519")};
  for (const generate of [() => generateEcdsa(256), generateEd25519]) {
    for (let round = 0; round < ${extent(250, 500)}; round++) {
      const privateKey = generate();
      const publicKey = createPublicKey(privateKey);
      for (let time = 0; time < 40; time++) {
        for (const key of [privateKey, publicKey]) key.export({ format: "jwk" });
      }
    }
  }
  process.stdout.write("done");
`;

it("a generated key can be exported as often as wanted: the garbage of its making does not stop the process", () => {
  const args = ["--input-type=module", "--eval", PROGRAM];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 25_000 });
  expect({ stdout, stderr }).toEqual({ stdout: "done", stderr: "" });
});
