import { expect, it } from "vitest";
import { describePage } from "./page-fixture.js";

describePage("docs/loading.md", (page) => {
  it("serves in CommonJS", async () => {
    page.write("keys/ann");
    const program = await page.start("require(", { "listen(2222)": 'listen(0, "127.0.0.1")' });
    const [, port] = await program.output(/port (\d+)/);
    expect((await page.ssh(Number(port), ["ann@127.0.0.1"])).stdout).toContain("load average");
  });
});
