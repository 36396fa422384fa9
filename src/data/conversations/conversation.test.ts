import { describe, expect, it } from 'vitest';
import { messagesOf, toolsOf } from './conversation.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('messages in a row', () => {
  it('are texts by role, with what else they have', () => {
    const said = [
      { role: 'user', content: [{ type: 'text', text: 'a' }, { text: 'b' }], name: null },
      { role: 'assistant', content: null, tool_calls: [{ id: 7n }] },
      // A Parquet file may have texts as bytes.
      { role: utf8('tool'), content: utf8('é'), tool_call_id: 7n },
      { role: 'assistant', content: 'c' },
    ];
    expect(messagesOf(said, 'messages')).toEqual([
      { role: 'user', content: 'ab' },
      { role: 'assistant', content: null, tool_calls: [{ id: 7 }] },
      { role: 'tool', content: 'é', tool_call_id: 7 },
      { role: 'assistant', content: 'c' },
    ]);
  });

  it('have calls whose arguments are values, and tools as a list or its JSON', () => {
    const call = (given: unknown) => ({ type: 'function', function: { name: 'f', arguments: given } });
    const [, answer] = messagesOf(
      [
        { role: 'user', content: 'a' },
        {
          role: 'assistant',
          tool_calls: [call('{"x": 1}'), call('no json'), { name: 'g', arguments: '{"y": 2}' }],
        },
      ],
      'm',
    );
    expect(answer?.tool_calls).toEqual([call({ x: 1 }), call('no json'), { name: 'g', arguments: { y: 2 } }]);
    expect(toolsOf([{ name: 'f' }], 't')).toEqual([{ name: 'f' }]);
    expect(toolsOf('[{"name": "f"}]', 't')).toEqual([{ name: 'f' }]);
    expect([toolsOf(null, 't'), toolsOf('', 't'), toolsOf([], 't')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(() => toolsOf('{', 't')).toThrow("'t' is no JSON list of tools");
    expect(() => toolsOf(['f'], 't')).toThrow("'t' is not a list of tools, each a JSON schema");
    const calling = (made: unknown) => [{ role: 'assistant', content: 'a', tool_calls: made }];
    expect(() => messagesOf(calling('f'), 'm')).toThrow("tool_calls of 'm'[0] is not a list");
    expect(() => messagesOf(calling(['f']), 'm')).toThrow("tool_calls[0] of 'm'[0] is not a call");
  });

  it('may be the JSON text of their list', () => {
    const said = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ];
    expect(messagesOf(JSON.stringify(said), 'm')).toEqual(said);
    expect(messagesOf(utf8(` ${JSON.stringify(said)}`), 'm')).toEqual(said);
    expect(() => messagesOf('[{', 'm')).toThrow("'m' is text that begins as a JSON list, and is not JSON");
    expect(() => messagesOf('hello', 'm')).toThrow("'m' is not a list of messages");
  });

  it('without an answer are told with their roles', () => {
    const said = [
      { role: 'human', content: 'a' },
      { role: 'gpt', content: 'b' },
    ];
    expect(() => messagesOf(said, 'm')).toThrow(
      '(a message of the role assistant); its roles are human, gpt',
    );
  });

  const deep = { role: 'user', content: 'a', more: JSON.parse('['.repeat(40) + ']'.repeat(40)) };
  it.each<[unknown, RegExp]>([
    ['Hi', /^'m' is not a list of messages with role and content$/],
    [[], /^'m' has no messages$/],
    [
      [{ role: 'user', content: 'a' }],
      /^the conversation in 'm' has no answer \(a message of the role assistant\); its roles are user$/,
    ],
    [
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: ' ' },
      ],
      /no answer/,
    ],
    [['Hi'], /^'m'\[0\] is not a message/],
    [[{ from: 'human', value: 'a' }], /^'m'\[0\] has no role \(rename from and value to role and content\)$/],
    [[{ role: 'user', content: 3 }], /^the content of 'm'\[0\] is not text$/],
    [[{ role: 'user', content: [{ type: 'image', image: 'x' }] }], /a part of the type image, not text$/],
    [[{ role: 'user', content: '\ud83e' }], /half of a surrogate pair$/],
    [[{ role: 'user', content: Uint8Array.of(0xff) }], /bytes that are not UTF-8$/],
    [[deep], /nested more than 16 deep$/],
  ])('are refused with their place: %j', (value, message) => {
    expect(() => messagesOf(value, 'm')).toThrow(
      expect.objectContaining({ name: 'BrokenValue', reason: 'conversation' }),
    );
    expect(() => messagesOf(value, 'm')).toThrow(message);
  });
});
