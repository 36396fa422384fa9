import { quoted } from '../../teachers/sentence-prompt.ts';
import type { ReadApart } from '../context/task.ts';

/** A student that reads by another tokenizer than its teacher. */
export const OTHER_TOKENIZER: ReadApart = {
  where: "with another tokenizer than the teacher's (inputs.NAME.tokenizer)",
  remedy: "Leave inputs.NAME.tokenizer out: the student then reads by the teacher's.",
};

/** A teacher that reads a prompt before each text, and the student does not. */
export function promptBefore(prompt: string): ReadApart {
  return {
    where: `with the prompt ${quoted(prompt)} before each text that the teacher reads (teacher.prompt)`,
    remedy: "Set teacher.prompt to '': the teacher then reads texts as the student does.",
  };
}
