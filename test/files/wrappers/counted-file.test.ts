import { describe, expect, it } from "vitest";
import { ByteBudget } from "../../../src/files/byte-budget.js";
import type { FileAttributes } from "../../../src/files/file-system.js";
import { CountedFile } from "../../../src/files/wrappers/counted-file.js";
import { OwnSize } from "../../../src/files/wrappers/own-account.js";
import { deferred } from "./quota-support.js";

function attributes(size: number, links = 1): FileAttributes {
  return { type: "file", size, permissions: 0o644, accessTime: 0, modifyTime: 0, links };
}

function counted(limit: number) {
  const budget = new ByteBudget("bytes", limit, "EDQUOT");
  return { budget, file: new CountedFile(new OwnSize(budget, 0), attributes(0)) };
}

describe("CountedFile", () => {
  it("has room for what is appended behind a write that overtakes it", async () => {
    const { budget, file } = counted(14);
    const append = deferred();
    const appended = file.append(10, () => attributes(14), append.run);
    await expect(file.write(5, () => attributes(0), append.run)).rejects.toThrow("Disk quota exceeded");
    await expect(file.resize(5, () => attributes(0), append.run)).rejects.toThrow("Disk quota exceeded");
    const written = file.write(4, () => attributes(14), append.run);
    expect(budget.used).toBe(14);
    append.finish();
    await Promise.all([appended, written]);
    expect(budget.used).toBe(14);
  });

  it("gives back what only another order would have needed", async () => {
    const { budget, file } = counted(100);
    const [first, second] = [deferred(), deferred()];
    const appended = file.append(10, () => attributes(10), first.run);
    const written = file.write(5, () => attributes(10), second.run);
    expect(budget.used).toBe(15);
    first.finish();
    await appended;
    second.finish();
    await written;
    expect(budget.used).toBe(10);

    const [third, fourth] = [deferred(), deferred()];
    const writtenFar = file.write(20, () => attributes(20), third.run);
    const appendedMeanwhile = file.append(10, () => attributes(20), fourth.run);
    expect(budget.used).toBe(30);
    fourth.finish();
    await appendedMeanwhile;
    third.finish();
    await writtenFar;
    expect(budget.used).toBe(20);
  });

  it("counts as before when it cannot be looked at", async () => {
    const { budget, file } = counted(100);
    const noLook = () => {
      throw new Error("gone");
    };
    await file.write(50, noLook, () => undefined);
    await file.resize(10, noLook, () => undefined);
    expect(budget.used).toBe(50);
    await file.resize(
      10,
      () => attributes(10),
      () => undefined,
    );
    expect(budget.used).toBe(10);
  });

  it("is gone with its last handle only when it has no name", async () => {
    const { budget, file } = counted(100);
    await file.write(
      50,
      () => attributes(50),
      () => undefined,
    );
    await file.nameRemoved(() => attributes(50, 1));
    file.lastHandleClosed();
    expect(budget.used).toBe(50);
    await file.nameRemoved(() => attributes(50, 0));
    file.lastHandleClosed();
    expect(budget.used).toBe(0);
  });
});
