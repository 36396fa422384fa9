import { z } from 'zod';
import type { FourBitForm } from '../compress/blockwise.ts';
import type { QatOptions } from '../compress/qat-options.ts';
import { TRANSFORMS } from '../compress/transforms/index.ts';
import { phasesOf, type Transform } from '../compress/transforms/transform.ts';
import { fromRegistries } from '../registry.ts';
import { registryUnion } from './registry-union.ts';
import { switchable } from './switched-off.ts';

/** What makes the student smaller or faster, one after another. */
export const compressSchema = fromRegistries(() =>
  switchable(z.array(registryUnion(TRANSFORMS)).min(1).max(16)).describe(
    'Transforms of the student, in their order: some before it is trained, some while it is, some after it (docs/compress.md). Without this key nothing is changed.',
  ),
);

/** What is wrong with transforms only in view of the rest of the recipe. */
export function compressProblems(recipe: {
  readonly compress?: readonly unknown[] | undefined;
  readonly continual?: unknown;
  readonly export?: { readonly int8?: unknown; readonly q4?: unknown };
  readonly outputs?: Readonly<Record<string, { readonly target: string }>> | undefined;
}): Problem[] {
  if (!recipe.compress) return [];
  if (recipe.continual) {
    return [
      { path: ['compress'], message: 'a continual training compresses nothing: leave out one of the two' },
    ];
  }
  return [...exitProblems(recipe), ...qatProblems(recipe)];
}

interface Listed {
  readonly compress?: readonly unknown[] | undefined;
  readonly export?: { readonly int8?: unknown; readonly q4?: unknown };
  readonly outputs?: Readonly<Record<string, { readonly target: string }>> | undefined;
}

function exitProblems({ compress = [], outputs }: Listed): Problem[] {
  const places = compress.flatMap((item, i) => ((item as { kind: string }).kind === 'exits' ? [i] : []));
  const [place, second] = places;
  if (place === undefined) return [];
  const told = Object.entries(outputs ?? {}).map(([name, { target }]) => `${name} (target ${target})`);
  const isClass = !outputs || (told.length === 1 && Object.values(outputs)[0]?.target === 'class');
  const { weight, self } = compress[place] as { readonly weight?: number; readonly self?: number };
  return [
    ...(weight === 0 && self === 0
      ? [{ path: ['compress', place], message: 'nothing would teach the exits: give weight or self' }]
      : []),
    ...(isClass
      ? []
      : [
          {
            path: ['compress', place],
            message: `exits are for one output that answers with a class (target class), and this recipe has ${told.join(', ')}`,
          },
        ]),
    ...(second === undefined
      ? []
      : [
          {
            path: ['compress', second],
            message: 'a student has exits once: name all layers in `after`',
          },
        ]),
  ];
}

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

function qatProblems(recipe: Listed): Problem[] {
  const { compress = [] } = recipe;
  const place = compress.findIndex((item) => (item as { kind: string }).kind === 'qat');
  if (place < 0) return [];
  const problem = (message: string) => ({ path: ['compress', place], message });
  const chosen = compress[place] as QatOptions;
  return [
    ...(chosen.bits === 4 ? fourBitProblems(chosen, recipe.export?.q4).map(problem) : []),
    ...(chosen.bits === undefined && chosen.block !== undefined
      ? [problem('`block` is for `bits: 4`: leave it out, or give both')]
      : []),
    ...(chosen.bits === undefined && recipe.export?.int8 === false
      ? [problem('trains for an int8 file that export.int8: false leaves out: leave out one of the two')]
      : []),
    ...(compress.slice(place + 1).some((item) => comesAfter(item as { kind: string }))
      ? [
          problem(
            `has to be the last transform after training: others change the weights that it has fitted to ${chosen.bits === 4 ? '4 bits' : 'int8'}`,
          ),
        ]
      : []),
  ];
}

/** What is wrong with a training for the 4-bit file, in view of how that is written. */
function fourBitProblems({ block }: QatOptions, q4: unknown): string[] {
  if (!q4)
    return [
      'trains for a 4-bit file that the recipe does not ask for: add `export.q4: true`, or leave `bits` out',
    ];
  const { block: written = 32, zeroPoints = false } = q4 === true ? {} : (q4 as Partial<FourBitForm>);
  return [
    ...(block !== undefined && block !== written
      ? [`trains blocks of ${block} weights, and export.q4.block is ${written}: give both the same`]
      : []),
    ...(zeroPoints ? ['trains levels around 0: leave out `export.q4.zeroPoints`'] : []),
  ];
}

function comesAfter(item: { readonly kind: string }): boolean {
  const transform = (TRANSFORMS as readonly Transform[]).find(({ kind }) => kind === item.kind);
  return transform !== undefined && phasesOf(transform, item).includes('after');
}
