#pragma once
#include <string>

/// Why a page is not well-formed; "" if it is: every element closed by its own tag, attributes quoted and named once,
/// no id twice. A small part of XML, which is all that our pages use. By hand: std::regex recurses for each character.
std::string complaint_about_page(const std::string& page);
