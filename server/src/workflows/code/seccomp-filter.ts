/**
 * For `bwrap --seccomp`: what the code must not ask of the kernel. No processes and threads, as the limit on their number does not
 * hold where the server runs as root; no sockets; no memory that the memory limit does not count; none of the
 * parts of the kernel that ordinary programs never need. Undefined for a processor whose numbers are not here.
 */
export function createSeccompFilter(arch: string): Buffer | undefined {
  const kernel = kernels[arch]
  if (!kernel) return undefined

  const checks = [
    ...(kernel.limit === undefined ? [] : [{ code: JUMP_IF_GREATER_OR_EQUAL, value: kernel.limit }]),
    ...kernel.refused.map((value) => ({ code: JUMP_IF_EQUAL, value })),
  ]
  return Buffer.concat([
    instruction({ code: LOAD, value: OFFSET_OF_ARCH }),
    // calls of another architecture have other numbers: all refused
    instruction({ code: JUMP_IF_EQUAL, value: kernel.auditArch, otherwise: checks.length + 2 }),
    instruction({ code: LOAD, value: OFFSET_OF_NUMBER }),
    ...checks.map(({ code, value }, index) => instruction({ code, value, then: checks.length - index })),
    instruction({ code: RETURN, value: ALLOW }),
    instruction({ code: RETURN, value: REFUSE_WITH_EPERM }),
  ])
}

type Kernel = { auditArch: number; limit?: number; refused: number[] }

/** In both lists, in this order: see the names in the kernel's table of calls for the architecture. */
const kernels: Record<string, Kernel | undefined> = {
  x64: {
    auditArch: 0xc000003e,
    // above it are the calls of x32, the same things under other numbers
    limit: 0x40000000,
    refused: [
      // clone, fork, vfork, clone3
      ...[56, 57, 58, 435],
      // socket
      ...[41],
      // memfd_create, memfd_secret, shmget, semget, msgget, mq_open
      ...[319, 447, 29, 64, 68, 240],
      // ptrace, process_vm_readv, process_vm_writev, unshare, setns, mount, fsopen, open_tree
      ...[101, 310, 311, 272, 308, 165, 430, 428],
      // add_key, request_key, keyctl, bpf, perf_event_open, userfaultfd, io_uring_setup
      ...[248, 249, 250, 321, 298, 323, 425],
    ],
  },
  arm64: {
    auditArch: 0xc00000b7,
    refused: [
      // clone, clone3
      ...[220, 435],
      // socket
      ...[198],
      // memfd_create, memfd_secret, shmget, semget, msgget, mq_open
      ...[279, 447, 194, 190, 186, 180],
      // ptrace, process_vm_readv, process_vm_writev, unshare, setns, mount, fsopen, open_tree
      ...[117, 270, 271, 97, 268, 40, 430, 428],
      // add_key, request_key, keyctl, bpf, perf_event_open, userfaultfd, io_uring_setup
      ...[217, 218, 219, 280, 241, 282, 425],
    ],
  },
}

const LOAD = 0x20
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_GREATER_OR_EQUAL = 0x35
const RETURN = 0x06
const OFFSET_OF_NUMBER = 0
const OFFSET_OF_ARCH = 4
const ALLOW = 0x7fff0000
const REFUSE_WITH_EPERM = 0x00050001

/** A `struct sock_filter`. `then` and `otherwise`: how many instructions a jump leaves out. */
function instruction({ code, value, then = 0, otherwise = 0 }: { code: number; value: number; then?: number; otherwise?: number }): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(then, 2)
  bytes.writeUInt8(otherwise, 3)
  bytes.writeUInt32LE(value, 4)
  return bytes
}
