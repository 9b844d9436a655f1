import { SSHServer } from "spindlex";
import { expect, it } from "vitest";
import { smoke } from "./smoke.cjs";

it("serves", async () => {
  expect(await smoke()).toMatch(/addon|node:crypto/);
  expect(new SSHServer()).toBeInstanceOf(SSHServer);
});
