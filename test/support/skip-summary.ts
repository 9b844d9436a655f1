import type { Reporter, TestModule } from "vitest/node";
import type { ToolName } from "./clients.js";

/** Tells once, at the end, which tools are missing and how many tests were skipped for want of each. */
export class SkipSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<ToolName, number>();
    let total = 0;
    for (const module of modules)
      for (const test of module.children.allTests("skipped")) {
        const { missing = [] } = test.meta();
        if (missing.length > 0) total++;
        for (const tool of missing) counts.set(tool, (counts.get(tool) ?? 0) + 1);
      }
    if (total === 0) return;
    const tools = [...counts].sort(([left], [right]) => left.localeCompare(right));
    const list = tools.map(([tool, count]) => `${tool} (${count})`).join(", ");
    console.log(`${total} tests are skipped because tools are missing: ${list}.`);
    console.log("Debian has them all: .ci/install-clients installs them.\n");
  }
}
