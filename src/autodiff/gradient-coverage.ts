import type { Graph } from '../onnx/graph.ts';
import type { Unreached } from './why-unreached.ts';

const SHOWN = 10;

/**
 * What a person is told of a model's weights that get no gradient: how many, which and why; loudly where they are most
 * of it. undefined where all get one. Single numbers (an epsilon, a scale) are listed, and do not count.
 */
export function gradientWarning(
  model: Graph,
  reached: readonly string[],
  without: readonly Unreached[],
): string | undefined {
  if (without.length === 0) return undefined;
  const sizes = new Map([...model.initializers].map(([{ name }, { data }]) => [name, data.length]));
  const weights = (names: readonly string[]) =>
    names.map((name) => sizes.get(name) ?? 0).filter((size) => size > 1);
  const [some, lost] = [weights(reached), weights(without.map(({ name }) => name))];
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const [tensors, numbers] = [some.length + lost.length, sum(some) + sum(lost)];
  const most = 2 * lost.length > tensors || 2 * sum(lost) > numbers;
  const shown = without.slice(0, SHOWN).map(({ name, reason }) => `\n  ${name}: ${reason}`);
  if (without.length > SHOWN) shown.push(`\n  ... and ${without.length - SHOWN} more`);
  const count = (n: number) => n.toLocaleString('en');
  const told =
    lost.length > 0
      ? `${lost.length} of ${tensors} weights (${count(sum(lost))} of ${count(numbers)} numbers) get no gradient`
      : `${without.length} single numbers get no gradient`;
  return `${most ? 'MOST OF THE MODEL GETS NO GRADIENT: ' : ''}${told}:${shown.join('')}`;
}
