import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { AccountNames } from "../../../src/files/local/account-names.js";
import { temporaryFolder } from "../../support/tools.js";

const folder = temporaryFolder();

it("finds names by numbers, the first line first, and reads the file again when it has changed", async () => {
  const path = join(folder, "passwd");
  writeFileSync(path, "root:x:0:0:root:/root:/bin/sh\n\n+::::\nbroken\ntoor:x:0:0\nnobody:x:65534:1\n-x:y:-1:0\n");
  const names = new AccountNames(path);
  expect(await names.find([65534, 0, 1, -1])).toEqual(["nobody", "root", undefined, undefined]);
  writeFileSync(path, "somebody:x:1:1\n");
  expect(await names.find([65534, 1])).toEqual([undefined, "somebody"]);
  rmSync(path);
  expect(await names.find([1])).toEqual([undefined]);
  writeFileSync(path, "somebody:x:1:1\n");
  expect(await names.find([1])).toEqual(["somebody"]);
});

it("knows no names where there is no file", async () => {
  expect(await new AccountNames(join(folder, "missing")).find([0, 1])).toEqual([undefined, undefined]);
});
