import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Features } from '../targets/features.ts';
import { type Backbone, defineBackbone, type FrozenTower } from './backbone.ts';
import { bert } from './bert.ts';
import { efficientnetLite } from './efficientnet-lite.ts';
import { mobilenetV3 } from './mobilenet-v3.ts';
import type { ParameterMaker } from './parameters.ts';
import { resnet } from './resnet.ts';
import { staticEmbedding } from './static-embedding.ts';
import { textAttention } from './text-attention.ts';
import { textConv } from './text-conv.ts';
import { towerPair } from './tower-pair.ts';
import { vit } from './vit.ts';

const FROZEN_SCOPE = 'text_model/';

/** What a value of a frozen text tower is called in the student, by its name in the tower's graph. */
export function frozenValue(name: string): string {
  return `${FROZEN_SCOPE}/${name}`;
}

/** Any backbone, as far as its place in a recipe goes. */
interface TowerKind {
  readonly kind: string;
  readonly options: z.ZodObject;
}

const TEXT_TOWERS: readonly TowerKind[] = [textConv, textAttention, staticEmbedding, bert];
const IMAGE_TOWERS: readonly TowerKind[] = [mobilenetV3, efficientnetLite, resnet, vit];

const kindOf = ({ kind, options }: TowerKind) => z.strictObject({ kind: z.literal(kind), ...options.shape });

const frozen = z
  .strictObject({
    kind: z.literal('use-lite'),
    projection: z
      .enum(['none', 'linear'])
      .default('none')
      .describe(
        'What is trained of it: `none` leaves its space as it is; `linear` learns a layer after it, which begins as the identity where widths are equal.',
      ),
  })
  .describe(
    'The Universal Sentence Encoder lite, which is not trained: images learn its space (Zhai et al., 2022).',
  );

const options = z
  .object({
    text: z
      .discriminatedUnion('kind', [...TEXT_TOWERS.map(kindOf), frozen] as unknown as [
        z.ZodObject<{ kind: z.ZodLiteral<string> }>,
      ])
      .prefault({ kind: 'text-conv' } as never)
      .describe('The tower that reads texts.'),
    image: z
      .discriminatedUnion(
        'kind',
        IMAGE_TOWERS.map(kindOf) as unknown as [z.ZodObject<{ kind: z.ZodLiteral<string> }>],
      )
      .prefault({ kind: 'resnet' } as never)
      .describe('The tower that reads images.'),
    tokens: z
      .enum(['drawn', 'teacher'])
      .default('drawn')
      .describe(
        "Where the text tower's table of tokens begins: drawn, or with what the teacher says of each token alone, on its strongest axes (Tulkens and van Dongen, 2024).",
      ),
  })
  .describe('Two towers whose vectors lie in one space, so that texts and images can be compared (CLIP).');

/**
 * Two towers whose vectors lie in one space (Radford et al., "Learning Transferable Visual Models From Natural Language
 * Supervision", 2021, section 2.3).
 *
 * Inputs are those of both towers, features those of `towerPair`. Parameters lie under `text_model/` and `vision_model/`.
 *
 * @throws LimbeckError `recipe.invalid` for a frozen tower of another width, or none where one is asked for
 */
export const dualEncoder = defineBackbone({
  kind: 'dual-encoder',
  options,
  accepts: ['text+image'],
  features: ['pooled'],
  build(g, make, chosen, inputs) {
    const text =
      chosen.text.kind === 'use-lite'
        ? frozenFeatures(g, make, inputs.frozen, (chosen.text as z.output<typeof frozen>).projection)
        : g.scope('text_model', () => pooledOf(TEXT_TOWERS, g, make, chosen.text, inputs.text));
    const image = g.scope('vision_model', () => pooledOf(IMAGE_TOWERS, g, make, chosen.image, inputs.image));
    return towerPair(g, { text, image });
  },
});

function pooledOf(
  towers: readonly TowerKind[],
  g: GraphBuilder,
  make: ParameterMaker,
  { kind, ...own }: { readonly kind: string },
  inputs: object,
): Features {
  const backbone = towers.find((one) => one.kind === kind) as unknown as Backbone;
  const features = backbone.build(g, make, own as never, inputs as never).pooled?.();
  if (!features) throw new Error(`the backbone ${kind} has no features of a whole sample`);
  return features;
}

/** The output of a graph whose weights are constants of this one, and the layer after it that is trained, if any. */
function frozenFeatures(
  g: GraphBuilder,
  make: ParameterMaker,
  tower: FrozenTower | undefined,
  projection: z.output<typeof frozen>['projection'],
): Features {
  if (!tower)
    // Not `recipe.invalid`: a recipe is looked at before the encoder is read.
    throw new LimbeckError('recipe.encoder', 'the sentence encoder was not given', {
      where: 'student.text.kind: use-lite',
      remedy: 'Read texts and images: task: zero-shot-image-classification.',
    });
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of tower.graph.inputs) {
    if (!type || !shape) throw new Error(`input ${name} of the frozen tower has no type or shape`);
    bound.set(name, g.input(name, type, shape));
  }
  const value = g.inline(tower.graph, bound, FROZEN_SCOPE).get(tower.output);
  const width = value?.shape[1];
  if (!value || typeof width !== 'number') throw new Error(`the frozen tower has no output ${tower.output}`);
  return {
    width,
    value,
    project(scope, outputs) {
      if (projection === 'linear') return g.scope(scope, () => trainedLayer(g, make, value, outputs));
      if (outputs === width) return value;
      throw refused(
        `its vectors have ${width} numbers, those of the student ${outputs}`,
        `Set the output's width to ${width}, or learn a layer after it: student.text.projection: linear.`,
      );
    },
  };
}

/** x [batch, width] through a linear layer: it changes nothing before it is trained, where widths allow it. */
function trainedLayer(g: GraphBuilder, make: ParameterMaker, x: TypedValue, outputs: number): TypedValue {
  const width = x.shape[1] as number;
  const weight =
    outputs === width
      ? make.starting('weight', [width, outputs], identityMatrix(width))
      : make.glorot('weight', width, outputs);
  return g.gemm(g.identity(x, 'input'), weight, make.constant('bias', [outputs], 0));
}

function identityMatrix(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
}

function refused(problem: string, remedy: string): LimbeckError {
  return new LimbeckError('recipe.invalid', problem, { where: 'student.text.kind: use-lite', remedy });
}
