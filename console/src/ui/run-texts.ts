import { defineTexts } from '../lib/texts.ts'

export const runTexts = defineTexts('runs_ui', {
  en: {
    status: {
      queued: 'Queued',
      running: 'Running',
      waiting: 'Waiting',
      succeeded: 'Succeeded',
      failed: 'Failed',
      canceled: 'Stopped',
      done: 'Done',
    },
    answer: {
      label: 'Your answer',
      send: 'Send answer',
      options: 'Choose one',
      form: 'Fill in the form',
    },
    field: {
      missing: 'Enter “{{name}}”',
      not_json: 'This must be valid JSON: {{shape}}',
      not_number: 'This must be a number',
      list: 'a list, such as ["a", "b"]',
      object: 'an object, such as {"a": 1}',
      file: 'Address of a file',
      time: 'Date and time, such as 2026-01-31 08:30:00',
      yes: 'Yes',
      no: 'No',
    },
    json: { empty: 'Nothing', copy: 'Copy {{name}}' },
  },
  zh: {
    status: {
      queued: '排队中',
      running: '运行中',
      waiting: '等待中',
      succeeded: '成功',
      failed: '失败',
      canceled: '已停止',
      done: '完成',
    },
    answer: { label: '您的回答', send: '提交回答', options: '请选择一项', form: '请填写表单' },
    field: {
      missing: '请输入“{{name}}”',
      not_json: '必须是有效的 JSON:{{shape}}',
      not_number: '必须是数字',
      list: '列表,例如 ["a", "b"]',
      object: '对象,例如 {"a": 1}',
      file: '文件地址',
      time: '日期和时间,例如 2026-01-31 08:30:00',
      yes: '是',
      no: '否',
    },
    json: { empty: '无', copy: '复制{{name}}' },
  },
})
