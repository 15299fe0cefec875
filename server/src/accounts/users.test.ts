import { describe, expect, test } from 'vitest'
import { testDatabases } from '../../test/support/test-databases.ts'
import { isPasswordOf } from './password-hash.ts'
import { createFirstAdmin, createUser, ensureAdmin, getUserByEmail, listUsers } from './users.ts'

const NOW = Date.UTC(2026, 0, 1, 12, 30, 15, 678)
const PASSWORD = 'correct horse'

describe.each(testDatabases())('users on $name', ({ open }) => {
  test('are found by their address, however it is written', async () => {
    await using db = await open()
    const user = await createUser({ db, clock: () => NOW }, { email: ' Ada@Example.com ', password: PASSWORD, name: '艾达', role: 'admin' })

    expect(user).toEqual({ id: '1', email: 'ada@example.com', name: '艾达', role: 'admin', isDisabled: false, createdAt: NOW })
    expect(await getUserByEmail({ db }, 'ADA@example.com')).toEqual(user)
    await expect(getUserByEmail({ db }, 'bob@example.com')).rejects.toThrow(expect.objectContaining({ code: 'not_found' }))
  })

  test('keep their password as argon2id only', async () => {
    await using db = await open()
    await createUser({ db, clock: () => NOW }, { email: 'ada@example.com', password: PASSWORD })

    const { password } = await db.selectFrom('user_account').select('password').executeTakeFirstOrThrow()
    expect(password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await isPasswordOf(password ?? '', PASSWORD)).toBe(true)
    expect(await isPasswordOf(password ?? '', 'correct hoarse')).toBe(false)
  })

  test('have an address of their own', async () => {
    await using db = await open()
    const deps = { db, clock: () => NOW }
    const both = await Promise.allSettled([
      createUser(deps, { email: 'ada@example.com', password: PASSWORD }),
      createUser(deps, { email: 'ADA@example.com', password: PASSWORD }),
    ])

    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    await expect(createUser(deps, { email: 'ada@example.com', password: PASSWORD })).rejects.toThrow(
      expect.objectContaining({ code: 'conflict' }),
    )
    expect(await db.selectFrom('user_account').select('id').execute()).toHaveLength(1)
  })

  test('are refused without a usable address or password', async () => {
    await using db = await open()
    for (const [email, password, field] of [
      ['nobody', PASSWORD, 'email'],
      ['', PASSWORD, 'email'],
      [`${'x'.repeat(250)}@example.com`, PASSWORD, 'email'],
      ['ada@example.com', 'seven77', 'password'],
      ['ada@example.com', 'x'.repeat(129), 'password'],
    ] as const) {
      const refused = expect.objectContaining({ code: 'invalid_request', message: expect.stringMatching(`^${field}:`) })
      await expect(createUser({ db, clock: () => NOW }, { email, password })).rejects.toThrow(refused)
    }
  })

  test('are listed in pages, in the order they came', async () => {
    await using db = await open()
    for (const name of ['ada', 'bob', 'cleo'])
      await createUser({ db, clock: () => NOW }, { email: `${name}@example.com`, password: PASSWORD })

    const first = await listUsers({ db }, { page: 1, size: 2 })
    const second = await listUsers({ db }, { page: 2, size: 2 })
    expect([first, second].map(({ users, hasMore, total }) => [users.map((user) => user.name), hasMore, total])).toEqual([
      [['ada', 'bob'], true, 3],
      [['cleo'], false, 3],
    ])
    expect(first.users[0]).toEqual({ id: '1', email: 'ada@example.com', name: 'ada', role: 'user', isDisabled: false, createdAt: NOW })
  })

  test('begin with one administrator, made once, also when two nodes start together', async () => {
    await using db = await open()
    const deps = { db, clock: () => NOW }
    const both = await Promise.all([ensureAdmin(deps, { email: 'admin@example.com' }), ensureAdmin(deps, { email: 'admin@example.com' })])

    const [made, ...others] = both.filter((result) => result !== undefined)
    expect(others).toEqual([])
    expect(made?.user).toMatchObject({ email: 'admin@example.com', role: 'admin' })
    expect(made?.generatedPassword).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/)
    const { password } = await db.selectFrom('user_account').select('password').executeTakeFirstOrThrow()
    expect(await isPasswordOf(password ?? '', made?.generatedPassword ?? '')).toBe(true)

    expect(await ensureAdmin(deps, { email: 'another@example.com' })).toBeUndefined()
    expect((await listUsers(deps, { page: 1, size: 10 })).total).toBe(1)
  })

  test('begin with one administrator, however many people set the server up at once', async () => {
    await using db = await open()
    const deps = { db, clock: () => NOW }
    const people = ['ada', 'bob', 'eve', 'kim'].map((name) => ({ email: `${name}@example.com`, password: PASSWORD }))
    const made = await Promise.allSettled(people.map((person) => createFirstAdmin(deps, person)))

    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const refused of made.filter((one) => one.status === 'rejected'))
      expect(refused.reason).toMatchObject({ code: 'conflict', message: 'there is an administrator already: sign in' })
    const { users } = await listUsers(deps, { page: 1, size: 10 })
    expect(users).toMatchObject([{ id: '1', role: 'admin' }])
    expect(await createUser(deps, { email: 'later@example.com', password: PASSWORD })).toMatchObject({
      id: expect.not.stringMatching(/^1$/),
    })
  })

  test('begin with the operator’s own password when there is one', async () => {
    await using db = await open()
    const made = await ensureAdmin({ db, clock: () => NOW }, { email: 'admin@example.com', password: PASSWORD })

    expect(made).toMatchObject({ user: { role: 'admin' }, generatedPassword: undefined })
    const { password } = await db.selectFrom('user_account').select('password').executeTakeFirstOrThrow()
    expect(await isPasswordOf(password ?? '', PASSWORD)).toBe(true)
  })
})
