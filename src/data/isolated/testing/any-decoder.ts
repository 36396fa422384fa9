import { LimbeckError } from '../../../errors.ts';

/** A decoder that does what it is asked to, also what hostile files make others do. */
export async function* decode(behaviour: string): AsyncGenerator<unknown> {
  yield behaviour;
  if (behaviour === 'memory')
    for (const held: Uint8Array[] = []; ; ) held.push(new Uint8Array(2 ** 22).fill(1));
  if (behaviour === 'heap') for (const held: string[] = []; ; ) held.push(`${held.length}`.repeat(100));
  if (behaviour === 'loop') for (;;);
  if (behaviour === 'abort') process.abort();
  if (behaviour === 'exit') process.exit(3);
  if (behaviour === 'throw') throw new Error('page 3 is empty');
  if (behaviour === 'typed')
    throw new LimbeckError('data.missing-column', 'no text', { where: 'a', remedy: 'b' });
  if (behaviour === 'many')
    for (let i = 0; i < 50; i++) yield { number: BigInt(i), bytes: new Uint8Array(1e5).fill(i) };
}
