import { LimbeckError } from '../errors.ts';
import { nearestNames } from '../nearest.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import type { Student } from '../students/student.ts';

/** Names that a step gives to inputs and outputs of its own. */
const RESERVED = /^(learning_rate|step|loss|grad_norm|loss\/.*|.*\/next)$/;

/**
 * Numbers for all symbolic sizes of a model's inputs.
 *
 * @throws LimbeckError `compile.sizes` when one is missing, unknown or no size
 */
export function checkedSizes(graph: Graph, sizes: Readonly<Record<string, number>>): Record<string, number> {
  for (const { name, type, shape } of graph.inputs) {
    if (type && shape) continue;
    throw new LimbeckError(
      'compile.sizes',
      `the model does not tell the ${type ? 'shape' : 'type'} of its input '${name}'`,
      {
        where: `inputs of the model: ${describeTensors(graph.inputs)}`,
        remedy: 'Export it with typed inputs of a known number of axes.',
      },
    );
  }
  const needed = new Map<string, string>();
  for (const { name, shape } of graph.inputs)
    for (const dim of shape ?? []) if (typeof dim === 'string' && !needed.has(dim)) needed.set(dim, name);
  const missing = [...needed].filter(([size]) => sizes[size] === undefined);
  if (missing.length > 0) {
    throw new LimbeckError(
      'compile.sizes',
      `a training step has fixed sizes: ${missing.map(([size, input]) => `'${size}' (of ${input})`).join(', ')} ` +
        `${missing.length === 1 ? 'is' : 'are'} not known`,
      {
        where: `inputs of the model: ${describeTensors(graph.inputs)}`,
        remedy: `Give ${missing.map(([size]) => `--size ${size}=N`).join(' ')}.`,
      },
    );
  }
  for (const [size, value] of Object.entries(sizes)) {
    if (!needed.has(size)) {
      const names = [...needed.keys()];
      throw new LimbeckError('compile.sizes', `the model has no symbolic size '${size}'`, {
        where: `inputs of the model: ${describeTensors(graph.inputs)}`,
        remedy:
          names.length > 0
            ? `Did you mean ${nearestNames(size, names)}?`
            : 'All its sizes are fixed already.',
      });
    }
    requireRange(`size ${size}`, value, (n) => Number.isInteger(n) && n > 0, 'a whole number above 0');
  }
  return { ...sizes };
}

/** Throws LimbeckError `compile.reserved-name` when the model has names that its training step needs. */
export function checkNames({ graph, parameters }: Student): void {
  const taken = [...graph.inputs.map(({ name }) => name), ...parameters].filter((name) =>
    RESERVED.test(name),
  );
  if (taken.length === 0) return;
  throw new LimbeckError(
    'compile.reserved-name',
    `the model uses names of a training step: ${taken.join(', ')}`,
    {
      where: 'inputs and initializers of the model',
      remedy: 'Rename them.',
    },
  );
}

/** Throws LimbeckError `compile.option` for a number out of its range. */
export function requireRange(
  name: string,
  value: number | undefined,
  fits: (value: number) => boolean,
  expected: string,
): void {
  if (value === undefined || fits(value)) return;
  throw new LimbeckError('compile.option', `${name} is ${value}, not ${expected}`, {
    where: name,
    remedy: 'Correct the value.',
  });
}

/** `x: float32[batch, 8]; y: int64[batch]`, for messages. */
export function describeTensors(values: readonly Value[]): string {
  return values
    .map(({ name, type, shape }) => `${name}: ${type ?? 'unknown'}${shape ? formatShape(shape) : ''}`)
    .join('; ');
}
