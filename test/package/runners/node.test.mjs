import assert from "node:assert/strict";
import { it } from "node:test";
import { smoke } from "./smoke.cjs";

it("serves", async () => assert.match(await smoke(), /addon|node:crypto/));
