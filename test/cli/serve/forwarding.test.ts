import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/cli/errors.js";
import { declareForwarding } from "../../../src/cli/serve/forwarding.js";
import type { LocalTarget, SocketListenRequest } from "../../../src/index.js";

const NOTHING = { agent: false, x11: false };

describe("declareForwarding", () => {
  it("declares nothing without a choice", () => {
    expect(declareForwarding(undefined)).toEqual({ forwarding: {}, permissions: {} });
  });

  it("allows any host, and no socket of the file system", async () => {
    const { local, remote } = declareForwarding({
      ...NOTHING,
      local: "any",
      remote: { gatewayPorts: "no" },
    }).forwarding;
    expect(local?.({ host: "127.0.0.1", port: 1 } as LocalTarget)).toBe(true);
    expect(local?.({ path: "/run/docker.sock" } as LocalTarget)).toBe(false);
    expect(remote?.({ path: "/run/x" } as SocketListenRequest)).toBe(false);
  });

  it("names a target that cannot be one", () => {
    const declare = () => declareForwarding({ ...NOTHING, local: ["db.internal:5432", "db.internal"] });
    expect(declare).toThrow(UsageError);
    expect(declare).toThrow(/^--permit-open: .*"db\.internal" cannot be used: it is not host:port/);
  });
});
