import { expect, it } from 'vitest';
import { renderConversations } from './render-conversations.ts';
import { KNOWN_TEMPLATES } from './testing/known-templates.ts';

const said = {
  messages: [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ],
};
const system = { messages: [{ role: 'system', content: 'Be brief.' }, ...said.messages] };

async function written(template: string, conversations: readonly (typeof said)[], limits?: object) {
  const source = { template, tokens: { bos_token: '<s>' }, where: 'model/tokenizer_config.json' };
  const pieces: unknown[] = [];
  const options = limits ? { limits: { memoryBytes: 300e6, seconds: 10, ...limits } } : {};
  for await (const piece of renderConversations(source, conversations, options)) pieces.push(piece);
  return pieces;
}

it('gives each conversation its text, or what is wrong with it', async () => {
  expect(await written(KNOWN_TEMPLATES.gemma, [said, system, said])).toEqual([
    { rendered: { text: expect.stringContaining('model\nHello<end_of_turn>'), answers: [[60, 78]] } },
    { problem: 'the chat template refuses message 1 (system): System role not supported' },
    expect.objectContaining({ rendered: expect.anything() }),
  ]);
});

const nested = (depth: number, body: string): string =>
  depth === 0 ? body : `{% for i in range(99999) %}${nested(depth - 1, body)}{% endfor %}`;

it.each([
  ['goes on for ever', nested(4, ''), { seconds: 1 }, /writing a conversation took longer than 1 seconds/],
  [
    'fills the memory',
    '{% set ns = namespace(x=range(1000)) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
    {},
    /writing a conversation (needs more than 300 MB of memory|ended the process)/,
  ],
])('stops a template that %s', async (_, template, limits, message) => {
  await expect(written(template, [said], limits)).rejects.toMatchObject({
    code: 'tokenizer.template',
    message: expect.stringMatching(message),
    where: 'model/tokenizer_config.json',
  });
});
