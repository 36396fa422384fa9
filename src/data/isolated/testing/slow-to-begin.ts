// As on a machine with much else to do: it takes longer to begin than a file may take.
await new Promise((resolve) => setTimeout(resolve, 1500));

export async function* decode(): AsyncGenerator<string> {
  yield 'heard';
}
