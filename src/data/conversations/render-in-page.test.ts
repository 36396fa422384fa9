import { expect, it, vi } from 'vitest';
import { renderConversations } from './render-conversations.ts';
import { KNOWN_TEMPLATES } from './testing/known-templates.ts';

vi.mock('../../platform/node-modules.ts', async (original) => ({
  ...(await original<object>()),
  nodeModule: () => undefined,
}));

it('runs a template itself where there are no processes', async () => {
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ];
  const source = { template: KNOWN_TEMPLATES.chatml, tokens: {}, where: 'here' };
  const pieces: unknown[] = [];
  for await (const piece of renderConversations(source, [{ messages }])) pieces.push(piece);
  expect(pieces).toEqual([
    { rendered: expect.objectContaining({ text: expect.stringContaining('Hello<|im_end|>') }) },
  ]);
});
