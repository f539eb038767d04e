#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>

#include "base/encoding.hpp"
#include "resources/document.hpp"
#include "resources/internal/text_position.hpp"
#include "resources/internal/yaml_scalar.hpp"

namespace wh {
namespace {

// Text that aliases may unfold to, as a multiple of the input's limit.
constexpr std::size_t alias_text_factor = 8;

struct yaml_refused {
  YAML::Mark mark;
  std::string why;
};

/// Builds documents from yaml-cpp's events. yaml-cpp's own node tree would lose positions and quoting.
class yaml_builder : public YAML::EventHandler {
 public:
  explicit yaml_builder(const parse_limits& limits) : limits_(limits) {}

  std::vector<document> documents;

  void OnDocumentStart(const YAML::Mark&) override {
    root_ = nullptr;
    anchors_.clear();
  }
  void OnDocumentEnd() override {
    if (!root_.is_null()) documents.push_back(std::move(root_));
    root_ = nullptr;
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, nullptr); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp turns \N and \_ into bytes that are no UTF-8.
    if (!is_utf8(value)) throw yaml_refused{mark, "write the escapes \\N and \\_ as \\u0085 and \\u00a0"};
    if (awaits_key()) return set_key(mark, value, tag == "?" || tag.empty());
    if (tag == "!") return add(mark, anchor, value);
    auto scalar =
        tag.empty() || tag == "?" ? internal::resolve_plain_scalar(value) : internal::resolve_tagged_scalar(tag, value);
    if (!scalar) throw yaml_refused{mark, scalar.err().message};
    add(mark, anchor, std::move(*scalar));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) throw yaml_refused{mark, "an alias refers to a node that contains it"};
    const auto& target = it->second;
    if (awaits_key()) {
      if (!target.value.is_string()) throw yaml_refused{mark, "a key must be a scalar"};
      return set_key(mark, target.value.get<std::string>(), false);
    }
    if (stack_.size() + target.depth > limits_.depth_max) refuse_depth(mark);
    count(mark, target.nodes, target.text);
    if (stack_.empty()) {
      root_ = target.value;
    } else {
      place(target.value);
      stack_.back().depth = std::max(stack_.back().depth, target.depth + 1);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, "seq", anchor, document::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, "map", anchor, document::object());
  }
  void OnMapEnd() override { close(); }

 private:
  /// A collection being filled.
  struct level {
    document value;
    YAML::anchor_t anchor = 0;
    YAML::Mark mark;
    std::string key;
    bool has_key = false;
    bool merges = false;           ///< the pending key is a plain `<<`
    std::vector<document> merged;  ///< what `<<` brought
    std::size_t nodes_before = 0, text_before = 0;
    std::size_t depth = 1;
  };
  /// A finished anchored node, with what it costs to repeat it.
  struct anchored {
    document value;
    std::size_t nodes = 0, text = 0, depth = 0;
  };

  bool awaits_key() const { return !stack_.empty() && stack_.back().value.is_object() && !stack_.back().has_key; }

  void set_key(const YAML::Mark& mark, const std::string& key, bool plain) {
    auto& top = stack_.back();
    top.merges = plain && key == "<<";
    if (!top.merges && top.value.contains(key)) throw yaml_refused{mark, "duplicate key \"" + key + "\""};
    count(mark, 0, key.size());
    top.key = key;
    top.has_key = true;
  }

  void place(document value) {
    auto& top = stack_.back();
    if (top.value.is_array()) {
      top.value.push_back(std::move(value));
      return;
    }
    top.has_key = false;
    if (top.merges) {
      merge(top, std::move(value));
    } else {
      top.value[top.key] = std::move(value);
    }
  }

  static void merge(level& top, document value) {
    if (value.is_object()) {
      top.merged.push_back(std::move(value));
      return;
    }
    const bool maps =
        value.is_array() && std::all_of(value.begin(), value.end(), [](auto& v) { return v.is_object(); });
    if (!maps) throw yaml_refused{top.mark, "\"<<\" merges mappings only"};
    for (auto& map : value) top.merged.push_back(std::move(map));
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, document value) {
    if (awaits_key()) throw yaml_refused{mark, "a key must be a scalar"};
    const std::size_t text = value.is_string() ? value.get_ref<const std::string&>().size() : 0;
    count(mark, 1, text);
    if (anchor != 0) anchors_[anchor] = {value, 1, text, 0};
    if (stack_.empty()) {
      root_ = std::move(value);
    } else {
      place(std::move(value));
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, std::string_view type, YAML::anchor_t anchor,
            document value) {
    if (awaits_key()) throw yaml_refused{mark, "a key must be a scalar"};
    if (tag.size() > 1 && tag != "tag:yaml.org,2002:" + std::string(type)) {
      throw yaml_refused{mark, "tag " + tag + " is not supported"};
    }
    if (stack_.size() >= limits_.depth_max) refuse_depth(mark);
    level next;
    next.value = std::move(value);
    next.anchor = anchor;
    next.mark = mark;
    next.nodes_before = nodes_;
    next.text_before = text_;
    count(mark, 1, 0);
    // The anchor's id can be taken before: an alias inside the node must not find an older one.
    anchors_.erase(anchor);
    stack_.push_back(std::move(next));
  }

  void close() {
    auto done = std::move(stack_.back());
    stack_.pop_back();
    // Own keys win over merged ones, earlier merges over later ones.
    for (auto& map : done.merged) {
      for (auto& [key, value] : map.items()) {
        if (!done.value.contains(key)) done.value[key] = std::move(value);
      }
    }
    if (done.anchor != 0) {
      anchors_[done.anchor] = {done.value, nodes_ - done.nodes_before, text_ - done.text_before, done.depth};
    }
    if (stack_.empty()) {
      root_ = std::move(done.value);
      return;
    }
    stack_.back().depth = std::max(stack_.back().depth, done.depth + 1);
    place(std::move(done.value));
  }

  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t text) {
    nodes_ += nodes;
    text_ += text;
    if (nodes_ > limits_.yaml_nodes_max) {
      throw yaml_refused{mark,
                         "more than " + std::to_string(limits_.yaml_nodes_max) + " nodes once aliases are unfolded"};
    }
    if (text_ > limits_.bytes_max * alias_text_factor)
      throw yaml_refused{mark, "too much text once aliases are unfolded"};
  }

  [[noreturn]] void refuse_depth(const YAML::Mark& mark) const {
    throw yaml_refused{mark, "nested deeper than " + std::to_string(limits_.depth_max)};
  }

  const parse_limits& limits_;
  document root_;
  std::vector<level> stack_;
  std::map<YAML::anchor_t, anchored> anchors_;
  std::size_t nodes_ = 0, text_ = 0;
};

/// Reads a string without copying it, as std::istringstream would.
class view_buffer : public std::streambuf {
 public:
  explicit view_buffer(std::string_view text) {
    auto* begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

error yaml_error(std::size_t line, std::size_t column, const std::string& why) {
  return fail(errc::malformed, "YAML line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + why);
}

error yaml_error(const YAML::Mark& mark, const std::string& why) {
  if (mark.is_null()) return fail(errc::malformed, "YAML: " + why);
  return yaml_error(static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1, why);
}

/// YAML allows no control characters but tab and line breaks; and by its zero bytes yaml-cpp would take the text for UTF-16.
std::size_t find_control_character(std::string_view text) {
  const auto it = std::find_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\n' && c != '\r');
  });
  return static_cast<std::size_t>(it - text.begin());
}

/// yaml-cpp refuses the surrogate pairs that JSON writers use, and JSON is the faster read anyway.
bool looks_like_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

}  // namespace

result<std::vector<document>> parse_yaml(std::string_view text, const parse_limits& limits) {
  if (text.size() > limits.bytes_max) {
    return fail(errc::too_large, "YAML of " + std::to_string(text.size()) + " bytes is over the limit of " +
                                     std::to_string(limits.bytes_max));
  }
  if (looks_like_json(text)) {
    if (auto json = parse_json(text, limits)) return std::vector<document>{std::move(*json)};
  }
  if (!is_utf8(text)) return fail(errc::malformed, "YAML: the text is not UTF-8");
  if (const auto odd = find_control_character(text); odd != text.size()) {
    const auto at = internal::position_of(text, odd);
    return yaml_error(at.line, at.column, "control characters must be escaped");
  }
  yaml_builder builder(limits);
  std::string closed(text);
  // yaml-cpp takes a quoted scalar that the end of the text cuts off after a line break; a document's end inside of one
  // it does refuse.
  if (closed.ends_with('\n')) closed += "...\n";
  view_buffer buffer(closed);
  std::istream in(&buffer);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const yaml_refused& refused) {
    return yaml_error(refused.mark, refused.why);
  } catch (const YAML::Exception& e) {
    return yaml_error(e.mark, e.msg);
  }
  return std::move(builder.documents);
}

}  // namespace wh
