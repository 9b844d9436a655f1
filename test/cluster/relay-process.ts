// Sends back what it gets, so that both ends of a line between processes can be in one test.
process.on("message", (message) => process.send?.(message));
