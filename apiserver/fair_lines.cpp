#include "apiserver/fair_lines.hpp"

namespace wh {

std::string_view to_string(fair_refusal why) {
  switch (why) {
    case fair_refusal::queue_full: return "queue_full";
    case fair_refusal::waiting_bytes: return "waiting_bytes";
    case fair_refusal::waited_too_long: return "waited_too_long";
    case fair_refusal::unread_answers: return "unread_answers";
  }
  return "";
}

namespace fair {

bool lines::add(const std::string& user, user_line::waiting& request) {
  const std::lock_guard lock(mutex);
  auto& line = users[user];
  if (!line) line = std::make_shared<user_line>(user_line{.name = user, .requests = {}});
  const auto bytes = request.request.body.size();
  const bool too_many = line->requests.size() >= limits.user_waiting_max;
  if (too_many || now.waiting_bytes + bytes > limits.waiting_bytes_max) {
    refuse(too_many ? fair_refusal::queue_full : fair_refusal::waiting_bytes);
    forget_if_idle(line_ptr(line));
    return false;
  }
  line->requests.push_back(std::move(request));
  ++now.waiting;
  now.waiting_bytes += bytes;
  if (!std::exchange(line->in_turn, true)) turns.push_back(line);
  work.notify_one();
  return true;
}

line_ptr lines::take(user_line::waiting& out) {
  if (now.running >= limits.running_max) return nullptr;
  for (auto it = turns.begin(); it != turns.end(); ++it) {
    if ((*it)->running >= limits.user_running_max) continue;
    auto user = *it;
    turns.erase(it);
    out = std::move(user->requests.front());
    user->requests.pop_front();
    if (user->requests.empty()) user->in_turn = false;
    else turns.push_back(user);
    --now.waiting;
    now.waiting_bytes -= out.request.body.size();
    ++now.running;
    ++user->running;
    return user;
  }
  return nullptr;
}

void lines::answered(const line_ptr& user, std::size_t bytes) {
  const std::lock_guard lock(mutex);
  --now.running;
  --user->running;
  now.unread_bytes += bytes;
  user->unread_bytes += bytes;
  forget_if_idle(user);
  if (now.waiting > 0) work.notify_one();
}

void lines::taken_by_client(const line_ptr& user, std::size_t bytes) {
  const std::lock_guard lock(mutex);
  now.unread_bytes -= bytes;
  user->unread_bytes -= bytes;
  forget_if_idle(user);
}

std::optional<fair_refusal> lines::second_thought(const line_ptr& user, duration waited) {
  const std::lock_guard lock(mutex);
  std::optional<fair_refusal> why;
  if (waited > limits.wait_max) why = fair_refusal::waited_too_long;
  else if (user->unread_bytes > limits.user_unread_bytes_max) why = fair_refusal::unread_answers;
  if (why) refuse(*why);
  return why;
}

fair_figures lines::figures() {
  const std::lock_guard lock(mutex);
  auto out = now;
  out.users = users.size();
  return out;
}

}  // namespace fair
}  // namespace wh
