import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/index.js";
import { type AdmissionOptions, resolveAdmission } from "../../../src/server/admission/options.js";

function blamed(options: unknown): string | undefined {
  try {
    resolveAdmission(options as AdmissionOptions);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).toMatch(/^[\w.]+: .+/);
    return error.option;
  }
}

describe("the options of admission", () => {
  it("are on by default, with the penalties of sshd", () => {
    expect(resolveAdmission({})).toMatchObject({
      maxStartups: { start: 100, rate: 30, full: 500 },
      perSourceMaxStartups: 50,
      perSourceMaxConnections: Number.POSITIVE_INFINITY,
      perSourceNetBlockSize: { ipv4: 32, ipv6: 64 },
      perSourcePenalties: {
        times: { crash: 90, authFail: 5, invalidUser: 5, noAuth: 1, graceExceeded: 10, refuseConnection: 10 },
        max: 600,
        min: 15,
        maxSources: { ipv4: 65_536, ipv6: 65_536 },
        overflow: { ipv4: "permissive", ipv6: "permissive" },
      },
      allowFrom: undefined,
      denyFrom: { size: 0 },
      proxies: { size: 0 },
      penaltyExempt: { size: 2 },
      maxConnectionsPerUser: Number.POSITIVE_INFINITY,
    });
  });

  it("can be given in part", () => {
    expect(resolveAdmission({ maxStartups: { full: 200 } }).maxStartups).toEqual({ start: 100, rate: 30, full: 200 });
    expect(resolveAdmission({ maxStartups: 7 }).maxStartups).toEqual({ start: 7, rate: 100, full: 7 });
    expect(resolveAdmission({ perSourceNetBlockSize: { ipv6: 56 } }).perSourceNetBlockSize).toEqual({
      ipv4: 32,
      ipv6: 56,
    });
    const { perSourcePenalties } = resolveAdmission({ perSourcePenalties: { crash: 3600, overflow: "deny-all" } });
    expect(perSourcePenalties?.times).toMatchObject({ crash: 3600, authFail: 5 });
    expect(perSourcePenalties?.overflow).toEqual({ ipv4: "deny-all", ipv6: "deny-all" });
  });

  it.each<[option: string, options: unknown]>([
    ["maxStartups", { maxStartups: 0 }],
    ["maxStartups", { maxStartups: "10:30:100" }],
    ["maxStartups", { maxStartups: true }],
    ["maxStartups.start", { maxStartups: { start: 0 } }],
    ["maxStartups.rate", { maxStartups: { rate: 0 } }],
    ["maxStartups.rate", { maxStartups: { rate: 101 } }],
    ["maxStartups.full", { maxStartups: { full: 99 } }],
    ["maxStartups.begin", { maxStartups: { begin: 10 } }],
    ["perSourceMaxStartups", { perSourceMaxStartups: -1 }],
    ["perSourceMaxStartups", { perSourceMaxStartups: "none" }],
    ["perSourceMaxConnections", { perSourceMaxConnections: 0.5 }],
    ["perSourceNetBlockSize", { perSourceNetBlockSize: "32:64" }],
    ["perSourceNetBlockSize.ipv4", { perSourceNetBlockSize: { ipv4: 33 } }],
    ["perSourceNetBlockSize.ipv6", { perSourceNetBlockSize: { ipv6: 129 } }],
    ["perSourcePenalties", { perSourcePenalties: "no" }],
    ["perSourcePenalties", { perSourcePenalties: [] }],
    ["perSourcePenalties.crash", { perSourcePenalties: { crash: -1 } }],
    ["perSourcePenalties.authFail", { perSourcePenalties: { authFail: "5s" } }],
    ["perSourcePenalties.noauth", { perSourcePenalties: { noauth: 1 } }],
    ["perSourcePenalties.min", { perSourcePenalties: { max: 10 } }],
    ["perSourcePenalties.maxSources4", { perSourcePenalties: { maxSources4: 0 } }],
    ["perSourcePenalties.maxSources6", { perSourcePenalties: { maxSources6: 1e9 } }],
    ["perSourcePenalties.overflow", { perSourcePenalties: { overflow: "deny" } }],
    ["perSourcePenalties.overflow6", { perSourcePenalties: { overflow6: true } }],
    ["perSourcePenaltyExemptList", { perSourcePenaltyExemptList: ["10.0.0.0/33"] }],
    ["allowFrom", { allowFrom: "10.0.0.1/8" }],
    ["allowFrom", { allowFrom: "" }],
    ["allowFrom", { allowFrom: "example.com" }],
    ["allowFrom", { allowFrom: [1] }],
    ["denyFrom", { denyFrom: "192.0.2.*" }],
    ["denyFrom", { denyFrom: ["::1", "nonsense"] }],
    ["proxyProtocol", { proxyProtocol: "10.0.0.0/8" }],
    ["proxyProtocol.from", { proxyProtocol: {} }],
    ["proxyProtocol.from", { proxyProtocol: { from: "proxy" } }],
    ["proxyProtocol.timeout", { proxyProtocol: { from: "::1", timeout: 0 } }],
    ["proxyProtocol.version", { proxyProtocol: { from: "::1", version: 2 } }],
    ["maxConnectionsPerUser", { maxConnectionsPerUser: Number.NaN }],
  ])("are named when they cannot be used: %s %j", (option, options) => {
    expect(blamed(options)).toBe(option);
  });
});
