const { disk } = require("./disk.cjs");
const { smoke } = require("./smoke.cjs");

test("a server", async () => {
  expect(await smoke()).toMatch(/addon|node:crypto/);
});

test("files and addresses", () => disk());
