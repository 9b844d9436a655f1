import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultHostKeyPath } from "../../../src/cli/serve/default-host-key.js";

describe("defaultHostKeyPath", () => {
  it("is in XDG_STATE_HOME", () => {
    expect(defaultHostKeyPath({ XDG_STATE_HOME: "/var/state" })).toBe("/var/state/spindlex/host_key");
  });

  it.each([{}, { XDG_STATE_HOME: "" }, { XDG_STATE_HOME: "relative" }])("is below home for %j", (environment) => {
    expect(defaultHostKeyPath(environment)).toBe(join(homedir(), ".local/state/spindlex/host_key"));
  });
});
