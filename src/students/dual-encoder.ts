import type { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import type { Backbone, ModalityName, ModelInputs } from './backbone.ts';
import { ParameterMaker } from './parameters.ts';
import type { Student } from './student.ts';

/** A body that makes a vector of one of the inputs. */
export interface Tower<Options extends z.ZodObject = z.ZodObject, M extends ModalityName = ModalityName> {
  readonly backbone: Backbone<Options, M>;
  readonly options: z.output<Options>;
  readonly inputs: ModelInputs[M];
}

export interface DualEncoderParts {
  readonly text: Tower;
  readonly image: Tower;
  /** Numbers in the vectors of the shared space. */
  readonly width: number;
  /** Draws the initial parameters. */
  readonly random: RandomStream;
}

/** The outputs, as CLIP's exports name them. */
export const TEXT_EMBEDS = 'text_embeds';
export const IMAGE_EMBEDS = 'image_embeds';
/** Both beside each other: what is measured of pairs needs both at once. */
export const PAIR_EMBEDS = 'pair_embeds';

/**
 * Two towers whose vectors lie in one space, so that texts and images can be compared (Radford et al., "Learning Transferable
 * Visual Models From Natural Language Supervision", 2021, section 2.3).
 *
 * Inputs are those of both backbones. Outputs `text_embeds` and `image_embeds`, float32 [batch, width] of length 1;
 * `pair_embeds`, [batch, 2 * width], the text's vector and then the image's. Parameters lie under `text_model/` and
 * `vision_model/`, the projections are `text_projection` and `visual_projection`.
 */
export function buildDualEncoder({ text, image, width, random }: DualEncoderParts): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  const tower = (scope: string, projection: string, { backbone, options, inputs }: Tower) => {
    const features = g.scope(scope, () => backbone.build(g, make, options, inputs).pooled?.());
    if (!features) throw new Error(`the backbone ${backbone.kind} has no features of a whole sample`);
    return unitLength(g, features.project(projection, width));
  };
  const textEmbeds = tower('text_model', 'text_projection', text);
  const imageEmbeds = tower('vision_model', 'visual_projection', image);
  const named = (value: TypedValue, name: string) => g.output(g.identity(value, name), name);
  named(textEmbeds, TEXT_EMBEDS);
  named(imageEmbeds, IMAGE_EMBEDS);
  g.output(g.concat([textEmbeds, imageEmbeds], 1), PAIR_EMBEDS);
  return { graph: g.build(`${text.backbone.kind}+${image.backbone.kind}`), parameters: make.names };
}

/** Vectors [batch, width] divided by their length; a vector of zeros stays one. */
export function unitLength(g: GraphBuilder, x: TypedValue): TypedValue {
  const length = g.sqrt(g.reduceSumSquare(x, { axes: [1], keepDims: true }));
  return g.div(x, g.max(length, 1e-9));
}
