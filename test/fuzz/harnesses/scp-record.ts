import { formatEntry, formatTimes, parseControlRecord } from "../../../src/scp/control-record.js";
import { FatalError } from "../../../src/scp/errors.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";

const RECORDS = ["C0644 5 name", "D0755 0 dir", "E", "T1700000000 0 1700000001 0", "C0644 9007199254740991 x"];

/** One line that a client's scp sends. */
export const harness: Harness = {
  name: "scp-record",
  seeds: RECORDS.map((text) => Buffer.from(text)),
  memory: { base: 1024 * 1024, perByte: 1024 },
  shortRun: 3000,
  run(bytes) {
    const record = refusable(() => parseControlRecord(bytes), FatalError);
    if (record === undefined || record.kind === "end") return;
    if (record.kind !== "times") {
      assertTrue(!/[/\0]/.test(record.name) && !["", ".", ".."].includes(record.name), "a name leads elsewhere");
      assertTrue(record.permissions <= 0o7777 && record.size >= 0, "a number is out of range");
      // Newlines are written as text that stands for them.
      if (record.name.includes("\n")) return;
    }
    const line = record.kind === "times" ? formatTimes(record) : formatEntry(record);
    const again = parseControlRecord(line.subarray(0, -1));
    assertTrue(JSON.stringify(again) === JSON.stringify(record), "a record is written as another");
  },
};
