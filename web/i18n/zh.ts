/** 简体中文: all texts, including those of the sheets. Fetched only when this language is used. */

import type { SheetTexts } from './enSheets.ts';
import { counting } from './formats.ts';
import type { Texts } from './index.ts';

const number = counting('zh-Hans');
/** Chinese has one form for every number. */
const count = (n: number, other: string, written?: string) => number(n, { other }, written);

export const zh: Texts & { sheets: SheetTexts } = {
  lang: 'zh-Hans',
  app: 'Holdfast',

  hello: {
    title: ['想说就说，', '必定送达。'],
    promise: '随时都可以写。每条消息都会先保存在本机，一有机会就按顺序送达，不丢失，不重复。',
    name: '你的名字',
    password: '密码',
    taken: '这个名字已被使用。如果就是你，请输入密码。',
    join: '加入',
    start: '开始聊天',
    small: '不用邮箱，不用手机号。',
  },

  unsupported: {
    title: '此浏览器无法运行 Holdfast',
    why: (missing) => `它缺少 ${missing}。请使用 Chrome 111、Safari 16.4、Firefox 126 或更新的版本。`,
  },
  broken: {
    title: '页面出错了',
    why: '这是我们的问题。你写的内容都已保存在本机。',
    reload: '重新加载',
  },
  storage: {
    cannotOpen: '无法打开浏览器的存储空间',
    retry: '重试',
  },
  update: { ready: '有新版本可用', take: '更新' },

  connection: {
    offline: '当前离线，消息会在联网后发送。',
    offlineWaiting: (n) => count(n, '当前离线，有 # 条消息待发送。'),
    connecting: '正在连接…',
    catchingUp: '正在同步…',
    moving: (percent) => `正在整理本机上的消息：${percent}%`,
    signedOut: '你已退出登录，请重新登录。',
    signedOutWaiting: '你已退出登录，登录后会发送待发的消息。',
    sessionUnknown: '服务器不认识这台设备，请重新登录。所有内容都还在。',
    unknown: '服务器恢复到了较早的备份，其中没有你的账号。未发送的消息都还在。',
    signIn: '登录',
    upgrade: '应用版本过低，请更新。',
  },

  rooms: {
    title: '聊天室',
    none: '还没有聊天室，点上方的加号添加一个。',
    pick: '选择一个聊天室，开始聊天。',
    you: '我',
    says: '：',
    draft: (text) => `草稿：${text}`,
    people: (n) => count(n, '# 人'),
    waiting: (n) => count(n, '# 条待发'),
    notSent: (n) => count(n, '# 条未发送'),
    unread: (n) => `${n} 条未读`,
    mentions: (n) => `${n} 条提到你`,
    marked: '未读',
    muted: '免打扰',
    pinned: '置顶',
    left: '你已不在这个聊天室。',
    lobby: '大厅',
    notes: '我的笔记',
    empty: '还没有消息',
    failing: '服务器暂时无法读取这个聊天室，应用会自动重试。',
  },

  add: { open: '添加聊天室' },

  menu: { open: '菜单' },

  log: {
    today: '今天',
    yesterday: '昨天',
    empty: '这里还没有消息。来说点什么吧。',
    older: '正在加载更早的消息…',
    olderStuck: '联网后才能加载更早的消息。',
    between: '有些消息还没有加载。',
    betweenStuck: (n) => count(n, '联网后才能加载中间的消息（最多 # 条）。'),
    newest: '回到最新消息',
    newSince: (time) => `${time} 以后的新消息`,
    unseen: (n, written) => count(n, '# 条新消息', written),
  },

  message: {
    deleted: '消息已删除',
    blocked: '来自你屏蔽的人',
    deletedBy: '消息已被管理员删除',
    edited: '已编辑',
    all: '显示全部',
    more: '更多',
    unknown: '请更新应用以查看这条消息。',
    unreadable: '服务器无法读取这条消息。',
    reaction: '你的回应',
    creation: '新聊天室：',
    read: '全部已读',
    states: {
      saving: '保存中',
      queued: '待发送',
      sending: '发送中',
      checking: '确认中',
      sent: '已发送',
      'not-sent': '未发送',
    },
  },

  composer: {
    label: '消息',
    send: '发送',
    editing: '编辑后重新发送',
    changing: '编辑消息',
    kept: '你写的内容还在这里。',
  },

  back: '返回聊天室列表',
  cancel: '取消',

  moreThan: (n) => `超过 ${n}`,

  reasons: {
    any: {
      empty: '请先输入内容。',
      'too-large': '内容太长了。',
      forbidden: '你不是这个聊天室的成员。',
      'not-found': '内容不存在，或者已被删除。',
      conflict: '与服务器上的内容有冲突。',
      unauthorized: '你已退出登录。',
      'rate-limited': '操作太频繁了，请稍后再试。',
      unavailable: '服务器暂时无法响应，请稍后再试。',
      'upgrade-required': '应用版本过低，请更新。',
      offline: '当前没有网络，请联网后再试。',
      'invitation-needed': '新用户需要看护人发出的邀请。请检查名字是否写对，或请人邀请你。',
      'invitation-unknown': '没有这个邀请。请检查邀请码，或请对方重新邀请。',
      'invitation-used-up': '这个邀请的使用人数已满，请对方重新邀请。',
      'invitation-revoked': '这个邀请已被撤回，请对方重新邀请。',
      'invitation-expired': '这个邀请已过期，请对方重新邀请。',
      unreadable: '无法识别服务器的响应，请重试。',
      unreachable: '暂时无法连接服务器。',
      'storage-full': '本机存储空间已满，请清理一些空间后重试。',
      'storage-failed': '没能保存到本机，请重试或重新加载页面。',
      internal: '服务器出错了，请重试。',
    },
    signIn: {
      empty: '请先输入名字。',
      'too-large': '名字最多 40 个字符。',
      invalid: '名字中至少要有一个可见字符，且不能有会隐藏、翻转或遮住其他文字的字符。',
      conflict: '这个名字已被使用。',
      'out-suspended': '看护人已停用此账号。',
      'sign-up-closed': '这里暂不接受新用户。请检查名字是否写对，或联系服务器管理员。',
      forbidden: '服务器拒绝了这次操作，请联系管理员。',
      unauthorized: '密码不对，或者这个名字没有设过密码。',
    },
    message: {
      invalid: '消息中有无法发送的内容。',
      'not-found': '聊天室或相关消息已不存在。',
      conflict: '服务器上已有编号相同的另一条消息。',
      'mention-of-stranger': '它提到了不在这个聊天室里的人。请修改，或去掉 @ 再发送。',
      deleted: '你正在编辑的消息已被删除。',
    },
    storage: {
      'upgrade-required': '这个浏览器用过更新版本的应用，请更新后继续使用。',
    },
    other: '操作失败。',
  },

  sheets: {
    joinAgain: '重新加入',

    tooLong: (length, most) =>
      `这条消息有 ${count(length, '#')} 个字符，最多只能发送 ${count(most, '#')} 个。`,

    typing: {
      somebody: '有人',
      one: (name) => `${name}正在输入…`,
      two: (name, other) => `${name}和${other}正在输入…`,
      several: '多人正在输入…',
    },

    reasons: {
      password: {
        empty: '请先输入密码。',
        'too-large': '密码最多 200 个字符。',
        unauthorized: '当前密码不对。',
        forbidden: '今天尝试的次数太多，请明天再试，或换一台设备。',
      },
      room: {
        empty: '请先输入名称。',
        'too-large': '名称最多 40 个字符。',
        invalid: '名称中至少要有一个可见字符，且不能有会隐藏、翻转或遮住其他文字的字符。',
        conflict: '这个聊天室已经存在。',
        'announcements-only': '这个聊天室只有群主和管理员可以发言。',
        'room-not-made': '聊天室未能创建。请重试，或在聊天室的第一行查看原因。',
        'not-answered': '对方回复后你才能继续发送，请到时再试。',
        'out-removed': '管理员已将你移出这个聊天室。',
        'out-banned': '你已被管理员禁止进入这个聊天室。',
        forbidden: '今天的操作已达上限，或者你加入的聊天室太多了。',
      },
    },
    close: '关闭',

    add: {
      title: '添加聊天室',
      name: '新聊天室的名称',
      create: '创建',
      public: '公开聊天室',
      join: '加入',
      joinNamed: (room) => `加入${room}`,
      looking: '正在查找公开聊天室…',
      none: '你已加入所有公开聊天室。',
      search: '查找公开聊天室',
      noneFound: '没有名称或简介包含这些文字的公开聊天室。',
      searchOn: '继续查找',
      open: '打开',
      openNamed: (room) => `打开${room}`,
      private: '只能通过邀请加入',
    },

    profile: {
      open: (name) => `${name}的资料`,
      since: (day) => `${day}加入`,
      shared: '共同的聊天室',
      looking: '正在查找…',
      offline: '联网后才能看到更多。',
      write: '发消息',
      notes: '我的笔记',
      block: '屏蔽',
      unblock: '重新显示对方的消息',
      blockMeans: '屏蔽某人后，你看不到对方写的内容，对方不会知道。',
      blocked: (name) => `你已屏蔽${name}，因此看不到对方写的内容。`,
      reasons: { 'not-found': '此人已不在这里。' },
    },

    direct: {
      title: '私聊',
      name: '对方的名字',
      open: '发消息',
      openTo: (name) => `给${name}发消息`,
      reasons: {
        empty: '请输入名字。',
        'not-found': '这里没有叫这个名字的人。',
        offline: '此设备不认识这个名字，联网后才能查找。',
      },
    },

    report: {
      action: '举报',
      title: '举报这条消息',
      titleOf: (name) => `举报${name}`,
      toModerators: (n) =>
        `举报会发给这个聊天室的管理员；如果消息是管理员写的，则发给服务器的看护人。他们会看到你的名字、这条消息，以及前后各最多 ${n} 条消息。作者不会知道。`,
      toKeepers: (n) =>
        `举报会发给服务器的看护人，他们平时看不到这段对话。他们会看到你的名字、这条消息，以及前后各最多 ${n} 条消息，包括你写的。对方不会知道。`,
      ofPerson: '举报会发给服务器的看护人，他们会看到你的名字。对方不会知道。',
      reason: '有什么问题？可以不填。',
      send: '发送举报',
      sent: '举报已发送，谢谢。',
      done: '完成',
      reasons: {
        unreachable: '举报没有发送：现在无法连接服务器，请稍后再试。',
        'report-own': '不能举报自己。',
        'report-deleted': '这条消息已被删除。',
        'report-no-keeper': '这台服务器没有能处理举报的看护人，请询问服务器的管理者。',
        'report-many': '你今天的举报次数已达上限。',
        'report-full': '等待处理的举报太多，请明天再试。',
        'too-large': '原因太长。',
        invalid: '原因中不能有控制字符。',
        'not-found': '它已经不在了。',
      },
    },

    reports: {
      title: '举报',
      open: (n) => count(n, '# 条举报'),
      none: '没有待处理的举报。',
      about: (name) => `关于${name}`,
      by: (name, when) => `${name}举报，${when}`,
      look: '查看',
      lookAt: (name, by) => `查看${by}对${name}的举报`,
      message: '被举报的消息（举报时的内容）：',
      before: (text) => `举报前编辑过，最初的内容：${text}`,
      deleted: '已删除',
      delete: '删除这条消息',
      close: '关闭举报',
      reasons: { 'not-found': '这条举报已关闭。', forbidden: '只有看护人可以这样做。' },
    },

    membership: {
      joined: (names) => `${names}加入了`,
      left: (names) => `${names}离开了`,
      others: (n) => count(n, '另外 # 人'),
      more: '其他人',
      comma: '，',
    },

    notices: {
      you: '你',
      gives: {
        owner: (by, whom) => `${by}将${whom}设为群主`,
        moderator: (by, whom) => `${by}将${whom}设为管理员`,
        member: (by, whom) => `${by}将${whom}改回普通成员`,
      },
      handsOn: (by, whom) => `${by}把聊天室交给了${whom}`,
      stepsDown: {
        owner: (by) => `${by}成为群主`,
        moderator: (by) => `${by}改任管理员`,
        member: (by) => `${by}改任普通成员`,
      },
      removes: (by, whom) => `${by}移出了${whom}`,
      bans: (by, whom) => `${by}封禁了${whom}`,
      unbans: (by, whom) => `${by}解除了对${whom}的封禁`,
      renames: (by, name) => `${by}将聊天室改名为${name}`,
      describes: (by) => `${by}修改了简介`,
      clears: (by) => `${by}删除了简介`,
      restricts: (by) => `${by}将这里设为公告聊天室`,
      opens: (by) => `${by}允许所有人在这里发言`,
      pins: (by) => `${by}置顶了一条消息`,
      unpins: (by) => `${by}取消了一条置顶消息`,
    },

    pinned: {
      bar: '置顶消息',
      pin: '为所有人置顶',
      unpin: '取消置顶',
      reasons: {
        'role-needed': '你在这个聊天室的身份不能这样做。',
        'not-found': '这条消息已被删除。',
        offline: '需要联网才能置顶消息。',
      },
    },

    editRoom: {
      title: '编辑聊天室',
      name: '聊天室名称',
      description: '简介',
      announcements: '公告：只有群主和管理员可以发言',
      readOnly: '这里只有群主和管理员可以发言。你可以对他们的消息作出回应。',
      save: '保存',
      offline: '需要联网才能修改。',
      reasons: {
        empty: '请先输入名称。',
        'too-large': '名称最多 40 个字符。',
        invalid: '名称中至少要有一个可见字符，且不能有会隐藏、翻转或遮住其他文字的字符。',
        'role-needed': '你在这个聊天室的身份不能这样做。',
      },
      descriptionReasons: {
        'too-large': '简介最多 300 个字符。',
        invalid: '简介不能包含控制字符。',
        'role-needed': '你在这个聊天室的身份不能这样做。',
      },
    },

    roles: {
      owner: '群主',
      moderator: '管理员',
      actionsFor: (name) => `对${name}的操作`,
      make: { owner: '设为群主', moderator: '设为管理员', member: '改回普通成员' },
      stepDown: '放弃这个身份',
      handOn: '把聊天室交给对方',
      remove: {
        label: '移出聊天室',
        means: (name) =>
          `${name}将不能在这里阅读和发送消息，聊天室里的人都会看到是你移出的。对方可以回来：公开聊天室可自行加入，私密聊天室需要邀请。`,
        confirm: '确定移出',
      },
      ban: {
        label: '封禁',
        means: (name) =>
          `${name}将不能在这里阅读和发送消息，聊天室里的人都会看到是你封禁的。在管理员解除封禁之前，对方不能回来。`,
        confirm: '确定封禁',
      },
      banned: '已封禁',
      unban: '解除封禁',
      unbanNamed: (name) => `解除对${name}的封禁`,
      reasons: {
        'role-needed': '你在这个聊天室的身份不能这样做。',
        'role-yourself': '不能移出自己，请退出聊天室。',
        'role-last-owner': '聊天室必须有一位群主，请先把别人设为群主。',
        'role-no-member': '对方已经不在这个聊天室了。',
      },
    },

    exits: {
      forget: '从列表中移除',
    },

    suspended: '看护人已停用此账号。这台设备上的内容都会保留，恢复后会自动发送等待中的消息。',

    stranger: {
      answers: '这个地址上应答的不是 Holdfast，可能是一个登录页面。',
      open: '打开看看',
    },

    unknownRoom: {
      join: (room) => `加入“${room}”？`,
      joinUnnamed: '加入这个聊天室？',
      missing: '这个聊天室不存在，或者是你还没有加入的私密聊天室。',
      offline: '这个聊天室还不在本机，联网后就会打开。',
    },

    menu: {
      as: (name) => `当前登录：${name}`,
      setPassword: '设置密码',
      changePassword: '修改密码',
      invite: '邀请别人',
      leave: '退出这个聊天室',
      signOut: '退出登录',
      needsHttps: '这个页面是通过 HTTP 打开的。聊天和保存消息都没问题，但要离线打开应用，需要使用 HTTPS。',
    },

    join: {
      name: '邀请',
      title: (by, room) => `${by}邀请你加入“${room}”`,
      withPeople: (title, people) => `${title}（${people}）`,
      onlyUsers: '这个邀请只给已经在这里的人。请输入你的名字，或请看护人另发邀请。',
      looking: '正在查看邀请…',
      offline: '联网后才能查看邀请。',
      open: '打开聊天室',
      have: '我有邀请码',
      code: '邀请码',
      go: '查看邀请',
    },

    invite: {
      title: (room) => `邀请别人加入“${room}”`,
      why: '有链接或邀请码的人会看到你的名字和这个聊天室，并可以加入。',
      validFor: '有效期',
      days: (n) => count(n, '# 天'),
      forPeople: '最多可用',
      people: (n) => count(n, '# 人'),
      forNew: '也可用来邀请这里的新用户',
      make: '生成邀请',
      secret: '把这个链接发给你要邀请的人。它只显示这一次。',
      shared: '来 Holdfast 一起聊天：',
      share: '分享',
      orCode: '或者告诉对方这个邀请码，在第一个页面输入：',
      qr: '链接的二维码',
      poster: '打印海报',
      posterWhy:
        '一页中英双语海报，带二维码和邀请码。如果对方要先连 Wi-Fi，可以填上。它只打印出来，不会保存。',
      wifiName: 'Wi-Fi 名称（可不填）',
      wifiPassword: 'Wi-Fi 密码（可不填）',
      print: '打印',
      valid: '有效的邀请',
      used: (uses, most) => `已有 ${uses} / ${most} 人使用`,
      until: (day) => `有效期至${day}`,
      revoke: '撤回',
      revokeOne: (by, day) => `撤回${by}的邀请，有效期至${day}`,
      reasons: {
        forbidden: '不能生成这个邀请。可能是你的邀请太多了，请先撤回一个。',
        'not-found': '这个邀请已经不存在了。',
      },
    },

    message: {
      reply: '回复',
      react: '用表情回应',
      reactions: (emoji, n) => `${emoji}，${n} 个回应`,
      reactWith: (emoji) => `用 ${emoji} 回应`,
      absent: '不在此设备上',
      backToReply: '回到回复',
      notHere: '现在无法加载那条消息。',
      edit: '编辑',
      delete: '删除',
      copy: '复制',
      copyLink: '复制消息链接',
      details: '详情',
      ofYou: '我的消息',
      of: (name) => `${name}的消息`,
    },

    code: {
      title: '在其他设备上使用',
      how: '在那台设备上，或在主屏幕的应用里，在首屏点“我已有账号：输入代码”，然后输入：',
      secret: '代码十分钟内有效，只能用一次。输入它的人就能以你的名义发言，请不要告诉别人。',
      another: '换一个代码',
      already: '我已有账号：输入代码',
      enterTitle: '输入代码',
      where: '在你已登录的地方打开菜单，点“在其他设备上使用”，就会显示代码。',
      label: '代码',
      wrong: '代码不对，已经用过，或者已超过十分钟。',
    },

    recovery: {
      title: '恢复码',
      offer: '如果这台设备丢了，有了恢复码你仍能以自己的身份回来。',
      show: '获取恢复码',
      why: (name) =>
        `有了恢复码，即使这台设备丢了，你也能在新设备上以 ${name} 的身份回来。请抄在纸上，放在找得到的地方。`,
      replaces: '你已有一个恢复码。生成新的以后，旧的就会失效。',
      make: '显示新的恢复码',
      write: (name) => `请把这十二组数字和你的名字 ${name} 一起抄在纸上。它们只在此时显示。`,
      secret: '拿到恢复码的人就能以你的名义发言。在你生成新的恢复码或修改密码之前，它一直有效。',
      written: '我已抄好',
      have: '我有恢复码',
      enterTitle: '输入恢复码',
      label: '十二组数字，每组四位',
      signOutOthers: '让我的其他设备退出登录',
      incomplete: (typed, needed) =>
        `恢复码有 ${count(needed, '#')} 位数字，这里有 ${count(typed, '#')} 位。`,
      slip: '有数字不对，请和纸上的核对。',
      wrong: (name) => `这不是 ${name} 的恢复码，或者已经有了更新的。`,
    },

    ask: {
      title: '申请回来',
      why: (name) =>
        `这个服务器的看护人可以让你以 ${name} 的身份回来。你会得到一个号码，请打电话或当面念给看护人听。`,
      ask: '向看护人申请',
      read: (name) => `请把这个号码念给看护人听，好让对方知道申请的人是 ${name}：`,
      waiting: '正在等待看护人，通过后会自动继续。',
      giveUp: '不再申请',
      again: '再次申请',
      ended: {
        refused: '看护人拒绝了这次申请。',
        expired: '这次申请已过期。',
      },
      reasons: {
        'not-found': '这里没有人用这个名字。',
        'no-keeper': '这个服务器还没有看护人，请联系服务器管理员。',
        forbidden: '现在的申请太多，请今天晚些时候再试。',
      },
    },

    keeper: {
      title: '申请回来的人',
      offer: '你是这里的第一个人。愿意帮丢了手机的人回来吗？',
      more: '了解一下',
      what: '丢了所有设备的人可以申请回来。看护人会看到申请，听对方念出号码，再让对方进来。看护人可以让任何人以任何名字进来，所以应由大家都信任的人担任。这个服务器还没有看护人。',
      become: '担任看护人',
      none: '现在没有人申请。',
      how: '只有在你认得对方的声音或样子，并且对方念出同样的号码时，才让对方进来。',
      waiting: (n) => count(n, '# 人申请回来'),
      look: '查看',
      approve: '让其进来',
      approveNamed: (name, number) => `让 ${name} 进来，号码 ${number}`,
      refuse: '拒绝',
      refuseNamed: (name, number) => `拒绝 ${name}，号码 ${number}`,
      signOutOld: '让对方的旧设备退出登录',
      reasons: {
        forbidden: '只有看护人可以这样做。',
        'not-found': '另一位看护人已处理，或申请已过期。',
      },
    },

    presence: {
      open: '谁在线',
      title: (room) => `${room}的成员`,
      alsoHere: (n) => count(n, '，# 人在线'),
      here: '在线',
      seen: (time) => `上次在线：${time}`,
      you: '你',
      somebody: '某人',
      looking: '正在查找此房间的成员…',
      more: '显示更多',
      hidden: '你隐藏了自己的在线状态，因此也看不到别人的。',
      show: '显示我在线',
      showReads: '显示我已读的消息',
      why: '隐藏后，你也看不到别人的。',
      offline: '需要连接网络才能更改。',
    },

    mentions: {
      people: '可以提到的人',
      next: (n) => count(n, '前往提到你的下一条消息（共 # 条）'),
    },

    wishes: {
      pin: '置顶',
      unpin: '取消置顶',
      mute: '免打扰',
      unmute: '取消免打扰',
      hide: '从列表中隐藏，有新消息时再显示',
      show: '重新显示在列表中',
      markUnread: '标为未读',
      hidden: '已隐藏的会话',
    },

    people: {
      title: '用户与服务器',
      name: '名字的开头',
      find: '查找',
      none: '没有人的名字是这样开头的。',
      devices: (n) => count(n, '# 台设备'),
      isKeeper: '看护人',
      change: '更改',
      changeOne: (name) => `更改${name}`,
      newName: '名字',
      renameOnly: '只有名字冒犯他人时才应改名。大家会看到新名字。',
      rename: '改名',
      signOut: '让对方的所有设备退出登录',
      signOutOwn: '让你的其他设备退出登录',
      showDevices: '查看对方的设备',
      giveRole: '设为看护人',
      takeRole: '不再是看护人',
      suspend: {
        label: '停用账号',
        means: '对方将不能登录、阅读或发送消息。不会删除任何内容，对方会得知账号已被看护人停用。',
        confirm: '确定停用',
      },
      lift: '恢复账号',
      isSuspended: '已停用',
      address: (origin) => `服务器的地址是 ${origin}。`,
      free: (gigabytes) => `磁盘剩余 ${gigabytes.toFixed(1)} GB。`,
      reasons: {
        empty: '请先输入名字。',
        'too-large': '名字最多 40 个字符。',
        invalid: '名字中至少要有一个可见字符，且不能有会隐藏、翻转或遮住其他文字的字符。',
        conflict: '这个名字已被使用。',
        'last-keeper': '这是最后一位看护人，请先设置另一位。',
        'role-keeper': '不能停用看护人，请先取消其身份。',
        'role-suspended': '请先恢复账号。',
        forbidden: '只有看护人可以这样做。',
        'not-found': '这个用户已经不存在了。',
      },
    },

    openInBrowser: {
      why: '请用浏览器（如 Safari 或 Chrome）打开这个页面。在其他应用里打开，你的名字和消息很快就会丢失。',
      copy: '复制链接',
      copied: '已复制',
    },

    install: {
      share: '为了可靠地保存消息，请把 Holdfast 添加到主屏幕：点“共享”，再点“添加到主屏幕”。',
      why: '为了可靠地保存消息，请安装 Holdfast。',
      install: '安装',
      dismiss: '不用了',
    },

    password: {
      why: '设置密码后，你可以在任何设备上用这个名字登录。',
      othersEnd: '你的其他设备都会退出登录。',
      current: '当前密码',
      new: '新密码',
      save: '保存',
    },

    name: {
      title: '修改名字',
      why: '大家会看到你的新名字，以前的消息上也会显示新名字。每天最多可以修改三次。',
      label: '你的名字',
      save: '保存',
      offline: '联网后才能修改',
      tooOften: (time, day) => `你今天已经改过三次名字。${day}${time}以后可以再改。`,
    },

    devices: {
      title: '登录的设备',
      titleOf: (name) => `${name}登录的设备`,
      looking: '正在查找设备…',
      since: (day) => `登录时间：${day}`,
      used: (day) => `最近使用：${day}`,
      current: '本机',
      signOut: '退出',
      signOutOne: (day) => `让这台设备退出登录（登录时间：${day}）`,
    },

    leave: {
      title: (room) => `退出“${room}”？`,
      why: '你将不再收到这里的消息，之后可以重新加入。',
      waiting: (n) => count(n, '你还有 # 条消息待发送，退出后将无法发送。'),
      confirm: '退出',
    },

    signOut: {
      title: '退出登录？',
      waiting: (n, name) => count(n, `有 # 条消息待发送，会保留在本机，等 ${name} 再次在这里登录后发送。`),
      forGood: (name) =>
        `${name} 没有设置密码，也没有在其他设备上登录：退出后将无法再登录，谁也不能再使用 ${name} 这个名字。`,
      neverSent: (n) => count(n, '有 # 条消息待发送，退出后将永远无法发送。'),
      noPassword: (name) => `${name} 没有设置密码。要想以后还能在这里登录，请先在这里或其他设备上设置密码。`,
      unsure: '如果没有设置密码，也没有在其他设备上登录，退出后将无法再登录。',
      safe: '之后可以用密码重新登录。',
      safeByCode: '之后可以用恢复码重新登录。',
      confirm: '退出登录',
      confirmForGood: '永久退出登录',
      removed: '各个房间的消息会从本机移除。',
      kept: (what) => `本机还会保留：${what}。`,
      notSent: (n) => count(n, '# 条未发送成功的消息'),
      unsent: (n) => count(n, '# 条未发送的消息'),
      drafts: (n) => count(n, '# 份草稿'),
      and: '和',
      deleteAll: '删除本机上的全部内容',
      deletes: (what) => `本机上的${what}也会被删除。它们还没有发给任何人，删除后无法恢复。`,
      confirmDelete: '全部删除并退出登录',
    },

    signIn: {
      title: '重新登录',
      why: (name) => `所有内容都还在。请输入 ${name} 的密码继续使用。`,
      unknown: (name) =>
        `服务器恢复到了 ${name} 注册之前的备份。未发送的消息都还在：重新以 ${name} 登录后就会发送。`,
      password: '服务器上也没有你的密码了。请输入密码重新设置，或者留空。',
      taken: (name) =>
        `现在已有人使用 ${name} 这个名字。如果就是你，请输入密码；否则请换一个名字，待发送的消息会以新名字发送。`,
    },

    remove: {
      title: '删除这条消息？',
      sent: '聊天室里的所有人都将看不到它。',
      unsent: '这条消息还没有发送，删除后无法恢复。',
    },

    react: {
      label: '表情',
      hint: '用键盘上的表情符号输入一个表情。',
      send: '回应',
      reasons: { invalid: '这不是一个表情。' },
    },

    details: {
      onDay: (time, day) => `${day} ${time}`,
      saving: (since) => `写于 ${since}。正在保存到本机。`,
      queued: (since) => `写于 ${since}。已保存在本机，一联网就会发送。`,
      queuedUntilOpen: (since) => `写于 ${since}。已保存在本机，打开 Holdfast 并联网后就会发送。`,
      sending: (since) => `写于 ${since}。正在发送到服务器。`,
      checking: (since) =>
        `写于 ${since}。已经发出，但服务器还没有确认。应用会继续重发，直到确认为止，消息只会送达一次。`,
      sent: (at) => `服务器已于 ${at} 收到。`,
      notSent: (since) => `写于 ${since}。服务器没有接受，消息仍保存在本机。`,
      readBy: (names) => `已读：${names}。`,
      unreadBy: (names) => `未读：${names}。`,
      reached: (names) => `已送达，未读：${names}。`,
      notReached: (names) => `未读，可能还没有送达：${names}。`,
      hiding: (names) => `不显示已读状态：${names}。`,
      reactedBy: (emoji, names) => `${emoji} ${names}`,
      andOthers: (names, n) => `${names}等 ${n} 人`,
      comma: '、',
      edited: '发送后编辑过。',
      deleted: '已对所有人删除。',
      changing: '这是你编辑后的内容。发送之前，其他人看到的还是原来的内容。',
      deleting: '删除操作待发送。在此之前，其他人仍能看到这条消息。',
    },

    notSent: {
      title: '未发送',
      others: '你之后发的消息不受影响。',
      edit: '编辑',
      retry: '重试',
      discard: '删除',
    },

    day: {
      open: '跳转到日期',
      date: '日期',
      go: '跳转',
      reasons: {
        empty: '请先选择日期。',
        nothing: '那天没有人发言。',
        offline: '本机没有那天的消息，连上网络后才能加载。',
        invalid: '这个服务器还不能按日期查找。',
      },
    },

    unmade: {
      title: '聊天室未能创建',
      name: '聊天室的名称',
      discard: '放弃',
      deletes: (n) => `你在里面写的 ${n} 条消息也会被删除，无法恢复。`,
      confirm: '全部删除',
    },

    storage: {
      full: '本机存储空间已满，新消息无法保存，请先清理一些空间。',
      failing: '暂时无法在本机保存你写的内容。',
      emptied: '浏览器清除了应用在本机的数据，尚未发送的消息已丢失。',
      understood: '知道了',
    },

    language: '语言',
  },
};
