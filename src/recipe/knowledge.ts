import { z } from 'zod';
import { switchable } from './switched-off.ts';

const tapNames = (what: string) =>
  z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(`Names or patterns (* is anything) of ${what}; one layer for each match, in graph order.`);

const tapsOf = (model: string) =>
  switchable(
    z.strictObject({
      attention: tapNames('attention maps [batch, heads, queries, keys]'),
      hidden: tapNames('hidden states [batch, sequence, width]'),
      features: tapNames('feature maps [batch, channels, height, width]'),
    }),
  ).describe(`Of the ${model}.`);

/** What inner values of the teacher are looked at, for the losses that need more than its answers. */
export const knowledgeSchema = z
  .strictObject({
    taps: switchable(z.strictObject({ teacher: tapsOf('teacher'), student: tapsOf('student') })).describe(
      'The layers of the models, by names of values in their graphs, instead of those that are found (`limbeck inspect MODEL` lists both).',
    ),
    layers: z
      .union([
        z.enum(['uniform', 'last', 'graph']),
        z.array(z.tuple([z.int().min(0), z.int().min(0)])).min(1),
      ])
      .default('uniform')
      .describe(
        "Which layers of the teacher teach which of the student: evenly, the last one only, as the knowledge graph says, or pairs [student's, teacher's] counted from 0 (`limbeck inspect` lists them).",
      ),
    graph: z
      .union([
        z.boolean(),
        z.strictObject({
          samples: z
            .int()
            .positive()
            .default(256)
            .describe('Training samples on which the teacher is looked into.'),
        }),
      ])
      .default(false)
      .describe(
        "Draws the teacher's layers, heads, tokens and classes as a graph (knowledge-graph.json, .graphml, in the report). It is made as well when layers is graph.",
      ),
  })
  .prefault({})
  .describe("The teacher's inner values: which of its layers teach which of the student's.");
