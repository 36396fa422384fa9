import { z } from 'zod';

/** A sample as a report shows it; `Example` in JSON. */
export const shownExampleSchema = z.object({
  text: z.string(),
  /** A data URI: the sample where it is an image, a drawing of it where it is audio. */
  picture: z.string().startsWith('data:image/').optional(),
  /** A data URI, for audio that is short enough to be listened to. */
  sound: z.string().startsWith('data:audio/').optional(),
});
export type ShownExample = z.infer<typeof shownExampleSchema>;

/** Longer texts are cut in the report: twelve novels are no examples. */
const MOST_CHARACTERS = 600;

/** What a report keeps of a sample. */
export function shownExample({ text, picture, sound }: ShownExample): ShownExample {
  // By code points: half of a surrogate pair is no character.
  const characters = [...text];
  return {
    text: characters.length > MOST_CHARACTERS ? `${characters.slice(0, MOST_CHARACTERS).join('')}…` : text,
    ...(picture && { picture }),
    ...(sound && { sound }),
  };
}
