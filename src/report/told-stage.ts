import { z } from 'zod';

/** A stage as a report tells of it. */
export const toldStageSchema = z.object({
  name: z.string(),
  /** What is done: `write and quantise the files`. */
  about: z.string(),
});
export type ToldStage = z.infer<typeof toldStageSchema>;
