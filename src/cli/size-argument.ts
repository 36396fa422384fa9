import { InvalidArgumentError } from 'commander';

/** Reads one `--size NAME=N` and adds it to those before. */
export function sizeArgument(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [, name, size] = /^(.+)=([1-9]\d*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Expected NAME=NUMBER, like height=224.');
  return { ...before, [name]: Number(size) };
}
