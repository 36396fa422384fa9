import type { ChatChoice } from './options.ts';

export interface ChatMessage {
  readonly role: 'system' | 'user';
  readonly content: string;
}

export interface PromptParts {
  readonly choice: Pick<ChatChoice, 'system' | 'user' | 'task' | 'classNotes'>;
  /** Our own system message, where the recipe has none; `{classes}` stands for the list. */
  readonly usual: string;
  /** What a class is called in an answer, and its name: the same, or a code and the name. */
  readonly classes?: readonly { readonly code: string; readonly name: string }[];
}

/** The messages that ask about a text. */
export function messagesFor({ choice, usual, classes = [] }: PromptParts, text: string): ChatMessage[] {
  const { system, user, task, classNotes = {} } = choice;
  const list = classes
    .map(({ code, name }) => {
      const note = classNotes[name];
      return `${code === name ? '-' : `${code})`} ${name}${note === undefined ? '' : `: ${note}`}`;
    })
    .join('\n');
  const before = system === undefined && task !== undefined ? `${task}\n\n` : '';
  return [
    { role: 'system', content: filled(`${before}${system ?? usual}`, { classes: list }) },
    { role: 'user', content: filled(user, { text }) },
  ];
}

/** Places filled at once, so that what is put in is not looked through for places. */
function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(classes|text)\}/g, (whole, name: string) => values[name] ?? whole);
}
