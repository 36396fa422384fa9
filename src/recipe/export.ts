import { z } from 'zod';
import type { FourBitForm } from '../compress/blockwise.ts';
import type { FurtherPrecision } from '../export/precisions.ts';
import { gateSchema } from './gate.ts';

/** How much worse a smaller file may be, and what happens to one that is. */
function maxDrop(file: string, otherwise: string) {
  return z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe(`The accuracy that ${file} may lose on the test split (0.01 is a point) before ${otherwise}.`);
}

const q4Options = z.strictObject({
  maxDrop: maxDrop('4-bit weights', 'the file is held back'),
  block: z
    .union([z.literal(16), z.literal(32), z.literal(64), z.literal(128)])
    .default(32)
    .describe('Weights that share a scale: fewer are closer to the float32 ones, and take more bytes.'),
  zeroPoints: z
    .boolean()
    .default(false)
    .describe('Whether each block has a zero point beside its scale, for weights that lie on one side of 0.'),
  expand: z
    .enum(['load', 'run'])
    .default('load')
    .describe(
      'Where weights become float32: as the model is loaded (load), which makes it as fast as the float32 file, or in each product (run, by MatMulNBits), which takes less memory and, in a browser, more time.',
    ),
});
const q4Schema = z
  .union([z.boolean(), q4Options])
  .default(false)
  .describe(
    'Writes a model with 4-bit weights, `onnx/model_q4.onnx`, beside the others: true, or how. It is for its size: it is not faster.',
  );

const fp16Options = z.strictObject({
  maxDrop: maxDrop('float16', 'the file is held back'),
});
const fp16Schema = z
  .union([z.boolean(), fp16Options])
  .default(false)
  .describe(
    'Writes a float16 model, `onnx/model_fp16.onnx`, beside the others: true, or how. It is half as large, and for WebGPU; processors compute it in float32.',
  );

/** What a run writes of its student. */
export const exportSchema = z
  .strictObject({
    int8: z
      .union([
        z.literal(false),
        z.strictObject({
          maxDrop: maxDrop('int8', 'the run fails'),
          maxBytes: z
            .int()
            .min(1)
            .optional()
            .describe(
              'The bytes that the int8 file may take (with early exits: the one file, and all of its parts together): layers that cost the least accuracy for a byte saved get 4-bit weights until it fits.',
            ),
          weightScales: z
            .enum(['channel', 'tensor'])
            .optional()
            .describe(
              'A scale for each output channel (channel, the default), or one for all weights of a layer, which some accelerators demand.',
            ),
          weightBits: z
            .int()
            .min(2)
            .max(8)
            .optional()
            .describe(
              'Levels that a weight can have, in bits (8); one is left out of 8, for processors without VNNI. They are kept as int8.',
            ),
          correctBiases: z
            .boolean()
            .optional()
            .describe(
              'Takes what int8 shifts the means of channels by from their biases, where the file is better so on the validation split (false).',
            ),
        }),
      ])
      .prefault({})
      .describe('Writes an int8 model beside the f32 one, if it is as good; false leaves it out.'),
    q4: q4Schema,
    fp16: fp16Schema,
    gate: gateSchema,
    license: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$/, { error: "expected a licence's id, like apache-2.0" })
      .default('other')
      .describe("The student's licence in its model card, as the Hugging Face hub spells it: apache-2.0."),
    languages: z
      .array(
        z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, {
          error: "expected a language's ISO 639 code, like en",
        }),
      )
      .default([])
      .describe("ISO codes of the texts' languages for the model card, like [en]; empty says nothing of it."),
  })
  .prefault({})
  .describe('What is written, in the Hugging Face layout.');
type Export = z.output<typeof exportSchema>;

/** A file that a recipe asks for beside float32 and int8. */
export type WantedPrecision =
  | { readonly precision: 'q4'; readonly maxDrop: number; readonly form: FourBitForm }
  | { readonly precision: 'fp16'; readonly maxDrop: number };

/** The files that a recipe asks for beside float32 and int8, with every default filled in. */
export function wantedPrecisions({ q4, fp16 }: Pick<Export, FurtherPrecision>): WantedPrecision[] {
  const wanted: WantedPrecision[] = [];
  if (q4 !== false) {
    const { maxDrop, ...form } = q4Options.parse(q4 === true ? {} : q4);
    wanted.push({ precision: 'q4', maxDrop, form });
  }
  if (fp16 !== false) wanted.push({ precision: 'fp16', ...fp16Options.parse(fp16 === true ? {} : fp16) });
  return wanted;
}
