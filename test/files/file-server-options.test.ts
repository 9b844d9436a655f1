import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { allowAll } from "../../src/files/access-policy.js";
import { type FileServerOptions, fileServerSettings } from "../../src/files/file-server-options.js";
import { MemoryFileSystem } from "../../src/sftp/index.js";

const fileSystem = new MemoryFileSystem();
const stream = new PassThrough();

describe("the policy of a file server", () => {
  it("allows all where none is given", () => {
    expect(fileServerSettings({ fileSystem }, stream).policy).toBe(allowAll);
  });

  it("must not be undefined: one that was looked up and not found would allow all", () => {
    const policies = new Map<string, typeof allowAll>();
    const options = { fileSystem, access: policies.get("nobody") } as FileServerOptions;
    expect(() => fileServerSettings(options, stream)).toThrow("access: must not be undefined");
  });

  it("is a policy, or a function by operation", () => {
    for (const access of ["rw", 5, {}, [], { decide: () => true }] as never[]) {
      expect(() => fileServerSettings({ fileSystem, access }, stream)).toThrow(/^access: /);
    }
    expect(fileServerSettings({ fileSystem, access: () => true }, stream).policy).toBe(allowAll);
  });
});
