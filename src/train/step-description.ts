import { z } from 'zod';

const tensor = {
  name: z.string().describe('The name of the input or output in the ONNX file.'),
  type: z
    .string()
    .describe("The elements' type, as ONNX Runtime's JavaScript API spells it: float32, int64."),
  shape: z.array(z.int().nonnegative()).describe('Sizes of the axes; [] is a single number.'),
};
const next = z.string().describe('The output that this input is fed from in the next run.');

/** What `STEP.json` says: everything that a program needs to train with a compiled step. */
export const stepDescriptionSchema = z
  .strictObject({
    format: z.literal('limbeck-training-step'),
    version: z.literal(1).describe('Raised when what a program may rely on changes.'),
    limbeck: z.string().describe('The version of Limbeck that compiled it.'),
    usage: z.string().describe('How to train with it, in a few sentences.'),
    files: z
      .strictObject({
        step: z.string().describe('The training step, beside this file.'),
        student: z.string().describe('The model that it was compiled from.'),
        parameters: z
          .string()
          .nullable()
          .describe(
            'A safetensors file with the initial parameters and buffers; null when none was written.',
          ),
        forward: z
          .string()
          .nullable()
          .describe('The model with its parameters as inputs, for evaluation; null when none was written.'),
      })
      .describe('Names of files.'),
    sizes: z.record(z.string(), z.int()).describe("Numbers that the model's symbolic sizes were bound to."),
    stepsPerRun: z.int().positive().describe('Training steps in one run of the model.'),
    objectives: z
      .array(z.looseObject({ kind: z.string(), name: z.string(), weight: z.number() }))
      .describe('The terms of the loss, with their options.'),
    optimizer: z.looseObject({ kind: z.string() }).describe('The optimizer with its options.'),
    maxGradNorm: z.number().nullable().describe('The norm that gradients are scaled down to; null for none.'),
    parameters: z
      .array(z.strictObject({ ...tensor, next }))
      .describe(
        "Inputs that learn. At first: the model's initializers of these names (or files.parameters).",
      ),
    buffers: z
      .array(z.strictObject({ ...tensor, next }))
      .describe('Inputs that change without a gradient, as running statistics do. At first as parameters.'),
    state: z
      .array(z.strictObject({ ...tensor, next, initial: z.literal('zeros') }))
      .describe("Inputs of the optimizer's own. At first: zeros."),
    batch: z
      .array(z.strictObject({ ...tensor, meaning: z.string() }))
      .describe('Inputs that every run feeds anew.'),
    scalars: z
      .array(z.strictObject({ ...tensor, meaning: z.string(), suggested: z.number().optional() }))
      .describe('Single numbers that every run feeds.'),
    metrics: z
      .array(z.strictObject({ ...tensor, meaning: z.string() }))
      .describe('Outputs that tell how the training goes.'),
    frozen: z
      .array(z.strictObject({ name: z.string(), reason: z.string() }))
      .describe('Float initializers of the model that do not learn. They are in the step as they were.'),
  })
  .describe('The inputs and outputs of a training step that is an ONNX file.');

/** The description of a compiled training step. */
export type StepDescription = z.output<typeof stepDescriptionSchema>;

/** The JSON schema (draft 2020-12) of a step's description. */
export function stepDescriptionJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(stepDescriptionSchema);
}
