import { z } from 'zod';
import { type FurtherPrecision, PRECISIONS, type Precision } from '../export/precisions.ts';
import { BOUND_KINDS, type BoundKind } from '../runtimes/bounds.ts';
import { RUNTIMES, type RuntimeName } from '../runtimes/measurement.ts';
import { switchable } from './switched-off.ts';

const boundsSchema = z.strictObject({
  file: z
    .enum(Object.keys(PRECISIONS) as Precision[])
    .optional()
    .describe('Which file is bounded: the int8 one where the recipe has one, unless it is said otherwise.'),
  threads: z.int().min(1).max(256).default(1).describe('Threads of the runtime.'),
  p50: z
    .number()
    .positive()
    .optional()
    .describe('Milliseconds within which half of all calls of one sample have to end.'),
  p90: z
    .number()
    .positive()
    .optional()
    .describe('Milliseconds within which nine of ten calls of one sample have to end.'),
  bytes: z.int().positive().optional().describe('The size that the file may have.'),
  metric: z
    .number()
    .optional()
    .describe(
      'What its answers there have to reach on test samples by the main metric: at least, or at most where less is better (accuracy 0.6 is 60 %).',
    ),
});

const [node, wasm, webgpu] = RUNTIMES;

/** Bounds of the student in the runtimes that will run it. */
export const gateSchema = switchable(
  z.strictObject({
    [node]: switchable(boundsSchema).describe('onnxruntime-node, in a process of its own.'),
    [wasm]: switchable(boundsSchema).describe('onnxruntime-web by WebAssembly, in a headless Chromium.'),
    [webgpu]: switchable(boundsSchema).describe('onnxruntime-web by WebGPU, in a headless Chromium.'),
  } as const satisfies Record<RuntimeName, z.ZodType>),
).describe(
  'Bounds for latency, size and quality of the student in the runtimes that will run it (docs/measure.md). Where one is exceeded, no student ships.',
);

/** A runtime with what the student may take there. */
export interface GatedRuntime {
  readonly on: RuntimeName;
  readonly file: Precision;
  readonly threads: number;
  readonly bounds: Readonly<Partial<Record<BoundKind, number | undefined>>>;
}

interface Gated {
  readonly export: Readonly<Record<FurtherPrecision, unknown>> & {
    readonly int8: unknown;
    readonly gate?: Readonly<Partial<Record<RuntimeName, z.output<typeof boundsSchema>>>> | undefined;
  };
  readonly continual?: unknown;
}

/** The runtimes that a recipe bounds; none without `export.gate`. */
export function gatedRuntimes(recipe: Pick<Gated, 'export'>): GatedRuntime[] {
  const { gate = {}, int8 } = recipe.export;
  return RUNTIMES.flatMap((on) => {
    const given = gate[on];
    if (!given) return [];
    const { file = int8 ? 'int8' : 'f32', threads, ...bounds } = given;
    return [{ on, file, threads, bounds }];
  });
}

/** What is wrong with bounds only in view of each other and of the rest of the recipe. */
export function gateProblems(recipe: Gated): { readonly path: string[]; readonly message: string }[] {
  if (!recipe.export.gate) return [];
  const path = ['export', 'gate'];
  if (recipe.continual)
    return [{ path, message: 'a continual training has no gate of runtimes: leave out one of the two' }];
  const runtimes = gatedRuntimes(recipe);
  if (runtimes.length === 0)
    return [
      { path, message: `bounds no runtime: name ${RUNTIMES.slice(0, -1).join(', ')} or ${RUNTIMES.at(-1)}` },
    ];
  return runtimes.flatMap(({ on, file, bounds }) => [
    ...(BOUND_KINDS.every((kind) => bounds[kind] === undefined)
      ? [
          {
            path: [...path, on],
            message: `bounds nothing: give ${BOUND_KINDS.join(', ')} or several of them`,
          },
        ]
      : []),
    ...(file !== 'f32' && !recipe.export[file]
      ? [
          {
            path: [...path, on, 'file'],
            message: `bounds a file that the recipe does not write: give export.${file}, or bound another one`,
          },
        ]
      : []),
  ]);
}
