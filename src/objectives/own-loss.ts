import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { defineObjective, termWeight } from './objective.ts';

/** A loss that the model computes itself: one float32 number among its values. */
export const ownLoss = defineObjective({
  kind: 'output',
  level: 'task',
  options: z
    .strictObject({
      weight: termWeight(1),
      output: z.string().min(1).describe('The value of the model that is minimised: one float32 number.'),
    })
    .describe('A loss that the model computes itself.'),
  term: ({ output, weight }) => ({
    name: output,
    weight,
    build(g, inputs) {
      const value = inputs.student(output);
      if (value.type !== 'float32' || !value.shape.every((dim) => dim === 1)) {
        throw new LimbeckError('train.loss-not-scalar', `'${output}' is no scalar that could be a loss`, {
          where: `objective output:${output}: it is ${value.type}${formatShape(value.shape)}`,
          remedy: "Name a value with one float32 number, or use labels, kd or mse on the model's outputs.",
        });
      }
      return value.shape.length === 0 ? value : g.reshape(value, []);
    },
  }),
});
