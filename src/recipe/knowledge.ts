import { z } from 'zod';

/** What inner values of the teacher are looked at, for the losses that need more than its answers. */
export const knowledgeSchema = z
  .strictObject({
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
