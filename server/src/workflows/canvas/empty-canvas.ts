/** Of a new workflow: it takes a text and gives it back. */
export const EMPTY_CANVAS = JSON.stringify({
  nodes: [
    {
      id: '100001',
      type: '1',
      meta: { position: { x: 0, y: 0 } },
      data: {
        nodeMeta: { title: 'Start', description: '' },
        outputs: [{ type: 'string', name: 'input', required: false, description: '' }],
      },
    },
    {
      id: '900001',
      type: '2',
      meta: { position: { x: 600, y: 0 } },
      data: {
        nodeMeta: { title: 'End', description: '' },
        inputs: {
          terminatePlan: 'returnVariables',
          inputParameters: [
            {
              name: 'output',
              input: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '100001', name: 'input' } } },
            },
          ],
        },
      },
    },
  ],
  edges: [{ sourceNodeID: '100001', targetNodeID: '900001' }],
})

/** Of a new chatflow: it says what it was told. */
export const EMPTY_CHATFLOW_CANVAS = JSON.stringify({
  nodes: [
    {
      id: '100001',
      type: '1',
      meta: { position: { x: 0, y: 0 } },
      data: {
        nodeMeta: { title: 'Start', description: '' },
        outputs: [
          { type: 'string', name: 'USER_INPUT', required: false, description: '' },
          { type: 'string', name: 'CONVERSATION_NAME', required: false, description: '', defaultValue: 'Default' },
        ],
      },
    },
    {
      id: '900001',
      type: '2',
      meta: { position: { x: 600, y: 0 } },
      data: {
        nodeMeta: { title: 'End', description: '' },
        inputs: {
          terminatePlan: 'useAnswerContent',
          streamingOutput: true,
          content: { type: 'string', value: { type: 'literal', content: '{{output}}' } },
          inputParameters: [
            {
              name: 'output',
              input: { type: 'string', value: { type: 'ref', content: { source: 'block-output', blockID: '100001', name: 'USER_INPUT' } } },
            },
          ],
        },
      },
    },
  ],
  edges: [{ sourceNodeID: '100001', targetNodeID: '900001' }],
})
